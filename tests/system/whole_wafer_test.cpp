// A whole WSE-2, all 757 x 996 PEs, in the memory of an ordinary computer.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "models/machine.h"
#include "models/mesh.h"
#include "workloads/kernels/collectives.h"

namespace wafersim::tests {
namespace {

double peak_gibibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1024.0 * 1024.0);
}

TEST(WholeWafer, BroadcastsToAllPesAndReducesThemBackWithinFourGibibytes) {
  constexpr int words = 64;
  const models::MachineSpec machine = models::machine_preset("cs2");
  const int width = machine.fabric.width, height = machine.fabric.height;
  const models::WaferPlan plan = workloads::broadcast_and_reduce(width, height, words);
  models::Mesh mesh(plan, machine.fabric, machine.core, {64, 64, 1});
  for (int w = 0; w < words; ++w) mesh.write_float({0, 0}, workloads::collective_address, w, static_cast<float>(w % 8));
  const auto cycles = static_cast<double>(mesh.driver().run(0));

  // Every PE holds what the corner sent; the sums have no rounding as long as they stay below 2^24.
  for (int w = 0; w < words; ++w) {
    ASSERT_EQ(mesh.read_float({width / 2, height / 2}, workloads::collective_address, w), static_cast<float>(w % 8));
    ASSERT_EQ(mesh.read_float({width - 1, height - 1}, workloads::collective_address, w),
              static_cast<float>(w % 8) * static_cast<float>(width) * static_cast<float>(height));
  }
  // The corner sends B words and then starts the first row's chain, whose end starts the last column's; a chain of P PEs takes
  // B + (2 T_R + 2)(P - 1), T_R = 2. The other rows are done before the column's sums reach them.
  const double formula = words + (words + 6.0 * (width - 1)) + (words + 6.0 * (height - 1));
  fmt::print("{} x {} PEs: {} cycles, formula {}; {:.2f} GiB\n", width, height, cycles, formula, peak_gibibytes());
  EXPECT_NEAR(cycles, formula, 0.005 * formula);
  EXPECT_LT(peak_gibibytes(), 4.0);
}

}  // namespace
}  // namespace wafersim::tests
