#include "models/systemc/swarm_module.h"

namespace wafersim::models {

SwarmModule::SwarmModule(const sc_core::sc_module_name& name, const memoryx::SwarmXSpec& spec, const memoryx::LinkTiming& link, int systems,
                         memoryx::MemoryX& memory, sim::Hertz clock, Pause& pause)
    : CycleModule(name, clock, pause),
      memory_x("memory_x"),
      links("links"),
      tree_(spec, static_cast<double>(clock.count()), link, {systems, spec.fanout}, memory.streamer(), memory.collector()) {}

void SwarmModule::run(Cycle now) {
  if (tree_.step(now))
    for (int k = 0; k < links.size(); ++k) links[k]->wake_at(now + 1);
  wake_at(tree_.next_event(now));
  memory_x->link_stepped(now);
}

}  // namespace wafersim::models
