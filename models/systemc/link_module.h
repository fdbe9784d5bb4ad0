#pragma once
// The I/O link between MemoryX, or SwarmX, and a wafer: both directions in one process that runs at their next events.

#include "memoryx/io_link.h"
#include "models/link_ports.h"
#include "models/systemc/cycle_module.h"
#include "models/systemc/link_peer.h"

namespace wafersim::models {

class LinkModule : public CycleModule {
 public:
  // weights and gradients, the far ends of its words, outlive the module.
  LinkModule(const sc_core::sc_module_name& name, const memoryx::LinkTiming& timing, int edge_queue_words, memoryx::InSource& weights,
             memoryx::OutSink& gradients, sim::Hertz clock, Pause& pause);
  sc_core::sc_port<Wakeable> wafer;
  sc_core::sc_port<LinkPeer> peer;

  LinkPorts& ports() { return ports_; }
  const memoryx::InLink& in() const { return in_; }
  const memoryx::OutLink& out() const { return out_; }
  std::vector<std::vector<memoryx::CallSpan>> take_in_spans() { return in_.take_spans(); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(in_, out_, ports_);
  }

 private:
  void run(Cycle now) override;

  memoryx::InLink in_;
  memoryx::OutLink out_;
  LinkPorts ports_;
};

}  // namespace wafersim::models
