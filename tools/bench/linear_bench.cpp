// A forward linear layer with tiles of 16 tokens x 16 features, wavelet by wavelet, weights always ready: on 64 x 64 PEs, whose state
// exceeds the caches, and on 16 x 16; with one thread and with two, which share as many blocks.
#include <benchmark/benchmark.h>
#include <cstring>

#include "models/machine.h"
#include "models/mesh.h"
#include "models/ready_ports.h"
#include "sim/numerics/elementary.h"
#include "workloads/kernels/linear_plan.h"

namespace {

using namespace wafersim;

constexpr int tile = 16, outputs = 128;

std::uint32_t half_pair(const memoryx::StreamWord& w) {
  using Kind = memoryx::StreamValue::Kind;
  if (w.low.kind == Kind::start || w.low.kind == Kind::word) return w.low.index;  // of the only call
  // Weight (i, j) = 1 for every i and j: each output is the sum of the inputs.
  return 0x3c003c00u;
}

void linear_forward(benchmark::State& state) {
  const int mesh = static_cast<int>(state.range(0)), threads = static_cast<int>(state.range(1));
  workloads::Layout layout;
  layout.columns = layout.rows = layout.rows_per_sequence = mesh;
  layout.sequence = mesh * tile;
  layout.heads = mesh;
  layout.tokens_per_pe = tile;
  const models::MachineSpec machine = models::machine_preset("cs2");
  const workloads::LinearPlan linear = workloads::linear_plan(layout, mesh * tile, outputs, sim::Dtype::f16, machine.sram);
  const int block_height = mesh / threads < 16 ? mesh / threads : 16;
  double pe_cycles = 0, macs = 0, hops = 0;
  for ([[maybe_unused]] auto _ : state) {
    state.PauseTiming();
    models::ReadyPorts ports(linear.plan.calls[0].stream, half_pair);
    auto simulated =
        std::make_unique<models::Mesh>(linear.plan, machine.fabric, machine.core, models::MeshOptions{16, block_height, threads}, &ports);
    const std::uint16_t one = sim::numerics::to_half(1.0f);
    for (int y = 0; y < mesh; ++y)
      for (int x = 0; x < mesh; ++x)
        for (int k = 0; k < tile * linear.row_elements; ++k) std::memcpy(simulated->sram({x, y}, linear.x_address + 2 * k), &one, 2);
    state.ResumeTiming();
    const auto cycles = simulated->driver().run(0);
    state.PauseTiming();
    std::uint16_t y;
    std::memcpy(&y, simulated->sram({5, 7}, linear.y_address), 2);
    if (sim::numerics::from_half(y) != static_cast<float>(mesh * tile)) state.SkipWithError("wrong result");
    pe_cycles += static_cast<double>(cycles) * mesh * mesh;
    macs += static_cast<double>(mesh) * mesh * tile * tile * outputs;
    hops += static_cast<double>(simulated->hops());
    simulated.reset();
    state.ResumeTiming();
  }
  state.counters["pe_cycles"] = benchmark::Counter(pe_cycles, benchmark::Counter::kIsRate);
  state.counters["macs"] = benchmark::Counter(macs, benchmark::Counter::kIsRate);
  state.counters["flit_hops"] = benchmark::Counter(hops, benchmark::Counter::kIsRate);
}
BENCHMARK(linear_forward)
    ->ArgNames({"mesh", "threads"})
    ->ArgsProduct({{64, 16}, {1, 2}})
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
