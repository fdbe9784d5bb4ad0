#pragma once
// A memory of the parameter store behind a TLM-2.0 target socket (times: memoryx/store_memory.h), and the two initiator sockets through
// which the store reaches its memories.
// Accesses carry no data, only times (TLM_IGNORE_COMMAND): the numbers are in memoryx::ParameterStore.

#include <optional>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "memoryx/store_memory.h"
#include "models/systemc/cycle_clock.h"

namespace wafersim::models {

// What an access is, and what comes back of it. Ignorable: a memory that does not know it takes the bytes as lying together, and they are
// taken to move all the time from being asked for to being there.
struct StoreAccessKind : tlm::tlm_extension<StoreAccessKind> {
  bool write = false;
  double run_bytes = 0;  // consecutive bytes, of which whole pages are moved; 0: all of them
  // From the memory: seconds from SystemC's present until the bytes begin to move, and until they have.
  struct Moves {
    double begin = 0, end = 0;
  };
  std::optional<Moves> moves;
  tlm::tlm_extension_base* clone() const override { return new StoreAccessKind(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const StoreAccessKind&>(other); }
};

class MemoryTier : public sc_core::sc_module {
 public:
  explicit MemoryTier(const sc_core::sc_module_name& name);
  tlm_utils::simple_target_socket<MemoryTier> socket;

  // Times count from SystemC's present on.
  void configure(const memoryx::TierTiming::Times& times);
  const memoryx::TierTiming& timing() const { return timing_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(timing_);
  }

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

  memoryx::TierTiming timing_;
  sc_core::sc_time zero_;
};

class StoreSockets : public sc_core::sc_module, public memoryx::StoreMemory {
 public:
  // clock: of the cycles; outlives the module.
  StoreSockets(const sc_core::sc_module_name& name, const CycleClock& clock);
  tlm_utils::simple_initiator_socket<StoreSockets> dram, flash;

  memoryx::StoreTimes access(const memoryx::StoreAccess& access, std::uint64_t cycle) override;

 private:
  const CycleClock& clock_;
};

}  // namespace wafersim::models
