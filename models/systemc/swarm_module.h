#pragma once
// SwarmX on the clock: all nodes of the tree in one process that runs at their next events.

#include "memoryx/memory_x.h"
#include "memoryx/swarm_x.h"
#include "models/systemc/cycle_module.h"
#include "models/systemc/link_peer.h"

namespace wafersim::models {

class SwarmModule : public CycleModule, public LinkPeer {
 public:
  // link: of each of the systems, several; memory_x outlives the module.
  SwarmModule(const sc_core::sc_module_name& name, const memoryx::SwarmXSpec& spec, const memoryx::LinkTiming& link, int systems,
              memoryx::MemoryX& memory_x, sim::Hertz clock, Pause& pause);
  sc_core::sc_port<LinkPeer> memory_x;
  sc_core::sc_port<Wakeable, 0> links;

  memoryx::SwarmX& tree() { return tree_; }
  const memoryx::SwarmX& tree() const { return tree_; }

  void link_stepped(Cycle now) override { wake_at(now + 1); }  // what it took or gave is of use from then on

 private:
  void run(Cycle now) override;

  memoryx::SwarmX tree_;
};

}  // namespace wafersim::models
