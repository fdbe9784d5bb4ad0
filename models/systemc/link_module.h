#pragma once
// The I/O link between MemoryX and a wafer: both directions in one process that runs at their next events.

#include "memoryx/io_link.h"
#include "memoryx/memory_x.h"
#include "models/link_ports.h"
#include "models/systemc/cycle_module.h"

namespace wafersim::models {

class LinkModule : public CycleModule {
 public:
  // memory_x outlives the module.
  LinkModule(const sc_core::sc_module_name& name, const memoryx::LinkTiming& timing, int edge_queue_words, memoryx::MemoryX& memory_x,
             sim::Hertz clock, Failure& failure);
  sc_core::sc_port<Wakeable> wafer;
  sc_core::sc_port<Wakeable> memory_x;

  LinkPorts& ports() { return ports_; }
  const memoryx::InLink& in() const { return in_; }
  const memoryx::OutLink& out() const { return out_; }

 private:
  void run(Cycle now) override;

  memoryx::MemoryX& memory_x_;
  memoryx::InLink in_;
  memoryx::OutLink out_;
  LinkPorts ports_;
};

}  // namespace wafersim::models
