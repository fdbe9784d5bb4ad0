#pragma once
// A mesh of one PE that runs one program: task 0 is activated at cycle 0. Control costs nothing unless a test asks for it.

#include <cstring>

#include "models/assembler.h"
#include "models/mesh.h"

namespace wafersim::models {

inline CoreSpec free_control(CoreSpec core = {}) {
  core.task_switch_cycles = 0;
  core.scalar_cycles = 0;
  core.loop_cycles = 0;
  return core;
}

class OneCore {
 public:
  static constexpr int bytes = 4096;

  template <class Body>
  OneCore(const CoreSpec& spec, Body&& body, EdgePorts* edges = nullptr, const fabric::RouteMap& routes = fabric::RouteMap(1, 1))
      : mesh_(plan_of(body, routes), {}, spec, {1, 1, 1}, edges) {}

  // Runs from cycle 0 to the end; the cycle after the last event.
  fabric::Cycle run() {
    const fabric::Cycle end = mesh_.driver().run(0);
    core().account_all(end);
    return end;
  }
  CoreBlock& core() { return *mesh_.driver().at({0, 0}).block->core; }
  std::uint64_t cycles(Activity a) { return core().activity(0, a); }
  std::int32_t reg(int r) { return core().state(0).reg[static_cast<std::size_t>(r)]; }
  Mesh& mesh() { return mesh_; }

 private:
  template <class Body>
  static WaferPlan plan_of(Body&& body, const fabric::RouteMap& routes) {
    WaferPlan plan;
    plan.width = plan.height = 1;
    plan.routes = routes;
    plan.pe_class = {0};
    plan.start_task = 0;
    plan.sram.peak_bytes = bytes;
    Assembler a;
    a.task(0, "start");
    body(a);
    plan.programs.push_back(a.finish());
    return plan;
  }

  Mesh mesh_;
};

}  // namespace wafersim::models
