// Host speed of the XY network: flit-hops and router-cycles a second of whole traffic runs (births, statistics and drain included), on one
// thread. Results are checked after the clock has stopped.

#include <benchmark/benchmark.h>
#include <cmath>

#include "fabric/traffic.h"

namespace wafersim::tools {
namespace {

void traffic_uniform(benchmark::State& state, double load, bool below_saturation) {
  fabric::FabricSpec mesh;
  mesh.width = 32;
  mesh.height = 32;
  fabric::TrafficSpec traffic;
  traffic.load = load;
  fabric::TrafficStatistics result;
  double flit_hops = 0;
  double router_cycles = 0;
  while (state.KeepRunning()) {
    result = fabric::run_traffic(mesh, traffic);
    flit_hops += static_cast<double>(result.flit_hops);
    router_cycles += static_cast<double>(result.cycles) * mesh.width * mesh.height;
  }
  if (result.delivered != result.injected) state.SkipWithError("packets were lost");
  if (std::abs(result.mean_hops - 64.0 / 3) > 0.2) state.SkipWithError("mean hops are not those of uniform traffic on 32 x 32");
  if (below_saturation && std::abs(result.accepted / load - 1) > 0.02) state.SkipWithError("accepted load is not the offered one");
  state.counters["flit_hops"] = benchmark::Counter(flit_hops, benchmark::Counter::kIsRate);
  state.counters["router_cycles"] = benchmark::Counter(router_cycles, benchmark::Counter::kIsRate);
}

BENCHMARK_CAPTURE(traffic_uniform, load_0_01, 0.01, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(traffic_uniform, load_0_05, 0.05, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(traffic_uniform, load_0_15_saturated, 0.15, false)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace wafersim::tools
