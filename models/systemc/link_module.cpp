#include "models/systemc/link_module.h"

#include <algorithm>

namespace wafersim::models {

LinkModule::LinkModule(const sc_core::sc_module_name& name, const memoryx::LinkTiming& timing, int edge_queue_words,
                       memoryx::InSource& weights, memoryx::OutSink& gradients, sim::Hertz clock, Pause& pause)
    : CycleModule(name, clock, pause),
      wafer("wafer"),
      peer("peer"),
      in_(timing, edge_queue_words, weights),
      out_(timing, edge_queue_words, gradients),
      ports_(in_, out_) {}

void LinkModule::run(Cycle now) {
  in_.step(now);
  out_.step(now);
  wake_at(std::min(in_.next_event(now), out_.next_event(now)));
  wafer->wake_at(in_.next_arrival(now));
  if (ports_.refused() && out_.last_start() == now) wafer->wake_at(now + 1);  // the place given back now is free then
  peer->link_stepped(now);
}

}  // namespace wafersim::models
