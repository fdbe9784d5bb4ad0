#include "workloads/sampling/measure_calls.h"

#include "models/mesh.h"
#include "models/ready_ports.h"
#include "sim/error.h"

namespace wafersim::workloads {

using models::MeshDriver;

std::vector<CallMeasurement> measure_calls(const models::WaferPlan& plan, const models::MachineSpec& machine) {
  // Time does not depend on numbers: none is computed, all but starts and arguments are zero.
  models::ReadyPorts ports({}, {});
  for (std::size_t k = 0; k < plan.calls.size(); ++k)
    ports.add(plan.calls[k].stream, [k](const memoryx::StreamWord& word) {
      using Kind = memoryx::StreamValue::Kind;
      if (word.low.kind == Kind::start) return word.low.index | static_cast<std::uint32_t>(k);
      return word.low.kind == Kind::word ? word.low.index : 0u;
    });
  models::MeshOptions options;
  options.block_width = plan.width;
  options.block_height = plan.height;
  options.arithmetic = false;
  models::Mesh mesh(plan, machine.fabric, machine.core, options, &ports);
  MeshDriver& driver = mesh.driver();
  const models::Block& block = *driver.at({0, 0}).block;

  const std::size_t calls = plan.calls.size();
  std::vector<std::uint64_t> hops(calls);  // when the corner starts a call
  std::size_t started = 1;                 // a core that has not begun is at call 0
  fabric::Cycle now = 0;
  for (fabric::Cycle next = 0; next != MeshDriver::never; next = driver.next_event(now)) {
    now = next;
    driver.step(now);
    if (started < calls && block.core->state(0).call == started) hops[started++] = block.fabric->hops();
  }
  sim::require_invariant(driver.quiet() && started == calls, "a sample runs to its end");

  block.core->account_all(now);
  const std::vector<models::CallRecord> records = block.core->take_calls();
  const double pes = static_cast<double>(plan.width) * plan.height;
  std::vector<CallMeasurement> measured;
  for (std::size_t k = 1; k + 1 < calls; ++k) {
    CallMeasurement m;
    m.period = static_cast<double>(records[k + 1].first_start - records[k].first_start);
    m.active = static_cast<double>(records[k].last_done - records[k].first_start);
    for (std::size_t a = 0; a < models::activities; ++a)
      m.cycles[a] = static_cast<double>(records[k].cycles[a] + records[k].switch_cycles[a]) / pes;
    m.macs = static_cast<double>(records[k].macs) / pes;
    m.hops = static_cast<double>(hops[k + 1] - hops[k]) / pes;
    measured.push_back(m);
  }
  return measured;
}

}  // namespace wafersim::workloads
