// Five meshes drawn from a seed, one bound by its link and one by updates: every kernel and whole steps sampled and wavelet by wavelet.
// WAFERSIM_MESH_SEED=N draws others.

#include "tests/support/drawn_mesh.h"

#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/fidelities.h"

namespace wafersim::tests {
namespace {

std::uint64_t mesh_seed() {
  const char* text = std::getenv("WAFERSIM_MESH_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 1;
}

double waited(const ComparedSteps& steps, int step, models::WaitCause cause) { return steps.waits[step][static_cast<int>(cause)]; }

TEST(DrawnMeshes, SampledIsWaveletForEveryKernelAndWholeStep) {
  const std::uint64_t seed = mesh_seed();
  fmt::print("seed {}: repeat with WAFERSIM_MESH_SEED={}\n", seed, seed);
  models::SampledSystem system(1, 4, false);
  const DrawnBound bounds[] = {DrawnBound::stream, DrawnBound::update, DrawnBound::none, DrawnBound::none, DrawnBound::none};
  for (int index = 0; index < 5; ++index) {
    const DrawnMesh mesh = draw_mesh(seed, index, bounds[index]);
    fmt::print("mesh {}: {}\n", index, mesh.text);
    SCOPED_TRACE(fmt::format("seed {}, mesh {}", seed, index));
    const std::vector<ComparedCall> calls = compare_calls(mesh.experiment);
    for (const std::string& line : print_calls(calls)) ADD_FAILURE() << line;

    const ComparedSteps steps = compare_steps(mesh.experiment, calls, system);
    EXPECT_EQ(steps.difference, "");
    for (int s = 0; s < 2; ++s) {
      fmt::print("  {:28} {:5} {:10.0f} {:10.0f} {:+7.2f}%  {:.2f}\n", s == 0 ? "first step" : "second step", 1, steps.simulated[s],
                 steps.sampled[s], 100 * (steps.sampled[s] / steps.simulated[s] - 1),
                 std::abs(steps.sampled[s] - steps.simulated[s]) / fidelity_limit(steps.simulated[s]));
      EXPECT_NEAR(steps.sampled[s], steps.simulated[s], fidelity_limit(steps.simulated[s])) << "step " << s;
    }
    using enum models::WaitCause;
    if (bounds[index] == DrawnBound::stream) {
      EXPECT_GT(waited(steps, 1, weight_link) + waited(steps, 1, gradient_link), 0.1 * steps.sampled[1]);
    }
    if (bounds[index] == DrawnBound::update) {
      EXPECT_GT(waited(steps, 1, update), 0.1 * steps.sampled[1]);
    }
  }
}

}  // namespace
}  // namespace wafersim::tests
