// Saving and restoring a system between two steps: the state of its state machines (their serialize()) and the time.

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/queue.hpp>
#include <cereal/types/vector.hpp>
#include <sstream>
#include <systemc>

#include "models/systemc/system_parts.h"
#include "sim/error.h"

namespace wafersim::models {
namespace {

template <class Archive, class Parts>
void serialize_parts(Archive& archive, Parts& p) {
  archive(p.steps, p.now, p.dram, p.flash, p.memory_x);
  if (p.swarm) archive(p.swarm->tree());
  for (const auto& w : p.wafers) archive(w->link, w->wafer, w->counters);
}

}  // namespace

std::string System::save() const {
  sim::require_invariant(parts_->wafers_are_at_rest() && parts_->step_is_complete(), "a system is saved between two steps");
  std::ostringstream bytes;
  {
    cereal::PortableBinaryOutputArchive archive(bytes);
    serialize_parts(archive, *parts_);
  }
  return std::move(bytes).str();
}

void System::restore(const std::string& state) {
  Parts& p = *parts_;
  sim::require_invariant(p.steps == 0, "a system that has run no step is restored");
  std::istringstream bytes(state);
  cereal::PortableBinaryInputArchive archive(bytes);
  serialize_parts(archive, p);
  sc_core::sc_start(sc_core::sc_time::from_value(sim::time_of(sim::Cycles(p.now), p.clock).count()), sc_core::SC_RUN_TO_TIME);
  p.memory_x_module.wake_at(std::max(p.now, p.memory_x.next_event()));
}

}  // namespace wafersim::models
