// Elements a second of the vector arithmetic on the host's best SIMD target, for the short arrays a PE works on. Results are checked after
// the clock stops.

#include <benchmark/benchmark.h>
#include <cstdint>
#include <vector>

#include "sim/numerics/elementary.h"
#include "sim/numerics/vector_ops.h"
#include "sim/random.h"

namespace wafersim::tools {
namespace {

namespace numerics = sim::numerics;

std::vector<float> normals(std::size_t n, std::uint64_t stream) {
  std::vector<float> values(n);
  for (std::size_t k = 0; k < n; ++k) values[k] = sim::normal(1, stream, k);
  return values;
}

void finish(benchmark::State& state, bool right) {
  state.SetItemsProcessed(state.iterations() * state.range(0));
  if (!right) state.SkipWithError("the result is wrong");
}

void fma_scalar(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> x = normals(n, 0);
  std::vector<float> acc(n, 0.0f);
  while (state.KeepRunning()) {
    numerics::fma_scalar(acc.data(), x.data(), 0x1p-30f, n);
    benchmark::ClobberMemory();
  }
  std::vector<float> once(n, 0.0f);
  numerics::fma_scalar(once.data(), x.data(), 0.5f, n);
  finish(state, once[n - 1] == numerics::fma(x[n - 1], 0.5f, 0.0f));
}

void fma_scalar_half(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> x = normals(n, 0);
  std::vector<std::uint16_t> half(n);
  numerics::to_half(half.data(), x.data(), n);
  std::vector<float> acc(n, 0.0f);
  while (state.KeepRunning()) {
    numerics::fma_scalar_half(acc.data(), half.data(), 0x1p-30f, n);
    benchmark::ClobberMemory();
  }
  std::vector<float> once(n, 0.0f);
  numerics::fma_scalar_half(once.data(), half.data(), 0.5f, n);
  finish(state, once[n - 1] == 0.5f * numerics::round_to_half(x[n - 1]));
}

void add(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> a = normals(n, 0), b = normals(n, 1);
  std::vector<float> out(n);
  while (state.KeepRunning()) {
    numerics::add(out.data(), a.data(), b.data(), n);
    benchmark::ClobberMemory();
  }
  finish(state, out[n - 1] == a[n - 1] + b[n - 1]);
}

using Function = void (*)(float*, const float*, std::size_t);
using Scalar = float (*)(float);

void function(benchmark::State& state, Function vector, Scalar scalar) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> a = normals(n, 0);
  std::vector<float> out(n);
  while (state.KeepRunning()) {
    vector(out.data(), a.data(), n);
    benchmark::ClobberMemory();
  }
  finish(state, out[n - 1] == scalar(a[n - 1]));
}

void to_half(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> a = normals(n, 0);
  std::vector<std::uint16_t> out(n);
  while (state.KeepRunning()) {
    numerics::to_half(out.data(), a.data(), n);
    benchmark::ClobberMemory();
  }
  finish(state, out[n - 1] == numerics::to_half(a[n - 1]));
}

void normal(benchmark::State& state) {
  std::uint64_t counter = 0;
  float largest = 0.0f;
  while (state.KeepRunning()) largest = numerics::max(largest, sim::normal(1, 2, counter++));
  state.SetItemsProcessed(state.iterations());
  if (!(largest < 6.5f)) state.SkipWithError("the result is wrong");
}

BENCHMARK(fma_scalar)->Name("numerics/fma_scalar")->Arg(8)->Arg(16)->Arg(23)->Arg(64);
BENCHMARK(fma_scalar_half)->Name("numerics/fma_scalar_half")->Arg(16)->Arg(64);
BENCHMARK(add)->Name("numerics/add")->Arg(16)->Arg(64);
BENCHMARK_CAPTURE(function, exp, static_cast<Function>(numerics::exp), static_cast<Scalar>(numerics::exp))
    ->Name("numerics/exp")
    ->Arg(8)
    ->Arg(64);
BENCHMARK_CAPTURE(function, tanh, static_cast<Function>(numerics::tanh), static_cast<Scalar>(numerics::tanh))
    ->Name("numerics/tanh")
    ->Arg(8)
    ->Arg(64);
BENCHMARK(to_half)->Name("numerics/to_half")->Arg(16)->Arg(64);
BENCHMARK(normal)->Name("numerics/normal");

}  // namespace
}  // namespace wafersim::tools
