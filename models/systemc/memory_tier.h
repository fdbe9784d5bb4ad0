#pragma once
// A memory of the parameter store behind a TLM-2.0 target socket: accesses take their bytes over the rate, one after another, and come
// back a latency later.
// Accesses carry no data, only times (TLM_IGNORE_COMMAND): the numbers are in memoryx::ParameterStore.

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

namespace wafersim::models {

// What an access is. Ignorable: a memory that does not know it takes the bytes as lying together.
struct StoreAccess : tlm::tlm_extension<StoreAccess> {
  bool write = false;
  double run_bytes = 0;  // consecutive bytes, of which whole pages are moved; 0: all of them
  tlm::tlm_extension_base* clone() const override { return new StoreAccess(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const StoreAccess&>(other); }
};

class MemoryTier : public sc_core::sc_module {
 public:
  explicit MemoryTier(const sc_core::sc_module_name& name);
  tlm_utils::simple_target_socket<MemoryTier> socket;

  struct Times {
    double bandwidth = 1;  // bytes/s
    double latency = 0;    // s
    double page = 1;       // bytes
  };
  void configure(const Times& times);
  double bytes() const { return bytes_; }  // moved since then
  double busy_seconds() const { return busy_; }

 private:
  void b_transport(tlm::tlm_generic_payload& access, sc_core::sc_time& delay);

  Times times_;
  sc_core::sc_time free_;  // when the bytes of the last access have moved
  double bytes_ = 0, busy_ = 0;
};

}  // namespace wafersim::models
