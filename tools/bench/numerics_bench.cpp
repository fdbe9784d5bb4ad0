// Elements a second of the vector arithmetic on the host's best SIMD target, for the short arrays a PE works on. Results are checked after
// the clock stops.

#include <benchmark/benchmark.h>
#ifdef WAFERSIM_OPENBLAS
#include <cblas.h>
#endif
#include <cmath>
#include <cstdint>
#include <vector>

#include "sim/numerics/elementary.h"
#include "sim/numerics/ordered_product.h"
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

// c = a b, all 1024 x 1024, with tiles of h features: the ordered product of a linear layer over 1024 / h columns of PEs.
constexpr std::size_t side = 1024;

void finish_product(benchmark::State& state, const std::vector<float>& a, const std::vector<float>& b, const std::vector<float>& c) {
  state.counters["flops"] =
      benchmark::Counter(2.0 * static_cast<double>(side * side * side), benchmark::Counter::kIsIterationInvariantRate);
  double exact = 0.0;
  for (std::size_t k = 0; k < side; ++k) exact += static_cast<double>(a[5 * side + k]) * static_cast<double>(b[k * side + 7]);
  if (!(std::abs(c[5 * side + 7] - exact) < 1e-3)) state.SkipWithError("the result is wrong");
}

void ordered_product(benchmark::State& state) {
  const auto h = static_cast<std::size_t>(state.range(0));
  const std::vector<float> a = normals(side * side, 0), b = normals(side * side, 1);
  std::vector<float> c(side * side);
  while (state.KeepRunning()) {
    numerics::ring_product(c.data(), side, {side, side, side / h, h}, h, a.data(), {b.data(), side, false});
    benchmark::ClobberMemory();
  }
  finish_product(state, a, b, c);
}

#ifdef WAFERSIM_OPENBLAS
void sgemm(benchmark::State& state) {
  openblas_set_num_threads(1);
  const std::vector<float> a = normals(side * side, 0), b = normals(side * side, 1);
  std::vector<float> c(side * side);
  while (state.KeepRunning()) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, side, side, side, 1.0f, a.data(), side, b.data(), side, 0.0f, c.data(), side);
    benchmark::ClobberMemory();
  }
  state.SetLabel(openblas_get_corename());  // it may not know the host: OPENBLAS_CORETYPE in the environment chooses
  finish_product(state, a, b, c);
}
BENCHMARK(sgemm)->Name("numerics/openblas_sgemm")->Unit(benchmark::kMillisecond);
#endif

BENCHMARK(ordered_product)->Name("numerics/ordered_product")->Arg(2)->Arg(16)->Unit(benchmark::kMillisecond);
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
