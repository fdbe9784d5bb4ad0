#include "models/systemc/memory_tier.h"

#include <algorithm>

namespace wafersim::models {

MemoryTier::MemoryTier(const sc_core::sc_module_name& name) : sc_core::sc_module(name), socket("socket") {
  socket.register_b_transport(this, &MemoryTier::b_transport);
}

void MemoryTier::configure(const memoryx::TierTiming::Times& times) {
  timing_ = memoryx::TierTiming(times);
  zero_ = sc_core::sc_time_stamp();
}

void MemoryTier::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  memoryx::StoreAccess access;
  access.bytes = payload.get_data_length();
  auto* kind = payload.get_extension<StoreAccessKind>();
  if (kind != nullptr) access.run_bytes = kind->run_bytes;
  const double now = (sc_core::sc_time_stamp() - zero_).to_seconds();
  delay = sc_core::sc_time(timing_.access(access, now + delay.to_seconds()) - now, sc_core::SC_SEC);
  if (kind != nullptr) kind->moves = {timing_.begin() - now, timing_.end() - now};
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

StoreSockets::StoreSockets(const sc_core::sc_module_name& name, const CycleClock& clock)
    : sc_core::sc_module(name), dram("dram"), flash("flash"), clock_(clock) {}

memoryx::StoreTimes StoreSockets::access(const memoryx::StoreAccess& access, std::uint64_t cycle) {
  constexpr double most_bytes = 1 << 30;  // of one payload
  StoreAccessKind kind;
  kind.write = access.write;
  kind.run_bytes = access.run_bytes;
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_IGNORE_COMMAND);
  payload.set_extension(&kind);
  const double now = clock_.now();
  const sc_core::sc_time asked = clock_.cycles_later(std::max(0.0, static_cast<double>(cycle) - now));
  sc_core::sc_time done = asked;
  std::optional<StoreAccessKind::Moves> moves;
  for (double left = access.bytes; left > 0; left -= most_bytes) {
    sc_core::sc_time delay = asked;
    payload.set_data_length(static_cast<unsigned>(std::max(1.0, std::min(left, most_bytes))));
    if (access.in_flash)
      flash->b_transport(payload, delay);
    else
      dram->b_transport(payload, delay);
    done = std::max(done, delay);
    if (kind.moves) moves = {moves ? moves->begin : kind.moves->begin, kind.moves->end};
  }
  payload.clear_extension(&kind);
  const auto at = [&](double seconds) { return memoryx::whole_cycles(now + seconds * clock_.hertz()); };
  const std::uint64_t there = memoryx::whole_cycles(now + clock_.cycles(done));
  return moves ? memoryx::StoreTimes{at(moves->begin), at(moves->end), there} : memoryx::StoreTimes{cycle, there, there};
}

}  // namespace wafersim::models
