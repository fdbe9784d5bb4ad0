#include "models/systemc/memory_tier.h"

#include <algorithm>
#include <cmath>

namespace wafersim::models {

MemoryTier::MemoryTier(const sc_core::sc_module_name& name) : sc_core::sc_module(name), socket("socket") {
  socket.register_b_transport(this, &MemoryTier::b_transport);
}

void MemoryTier::configure(const Times& times) {
  times_ = times;
  bytes_ = busy_ = 0;
}

void MemoryTier::b_transport(tlm::tlm_generic_payload& access, sc_core::sc_time& delay) {
  double bytes = access.get_data_length();
  const StoreAccess* store = access.get_extension<StoreAccess>();
  if (store != nullptr && store->run_bytes > 0)
    bytes = bytes / store->run_bytes * std::ceil(store->run_bytes / times_.page) * times_.page;
  else
    bytes = std::ceil(bytes / times_.page) * times_.page;
  const double seconds = bytes / times_.bandwidth;
  const sc_core::sc_time asked = sc_core::sc_time_stamp() + delay;
  free_ = std::max(free_, asked) + sc_core::sc_time(seconds, sc_core::SC_SEC);
  delay = free_ - sc_core::sc_time_stamp() + sc_core::sc_time(times_.latency, sc_core::SC_SEC);
  bytes_ += bytes;
  busy_ += seconds;
  access.set_response_status(tlm::TLM_OK_RESPONSE);
}

}  // namespace wafersim::models
