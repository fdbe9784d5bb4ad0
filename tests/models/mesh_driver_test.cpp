// Blocks stepped together: hops between cores, and that neither blocks nor threads are seen.
#include "models/mesh_driver.h"

#include <gtest/gtest.h>
#include <string>

#include "models/assembler.h"
#include "models/mesh.h"

namespace wafersim::models {
namespace {

using fabric::east, fabric::mask, fabric::north, fabric::ramp, fabric::south, fabric::west;
using sim::Dtype;

constexpr int address = 8;

// Every PE of the first column sends its words eastward; each PE adds its own and passes the sums on; the last column's sums run south
// as one multicast color. Colors alternate with x.
WaferPlan sums(int width, int height, int words) {
  WaferPlan plan;
  plan.width = width;
  plan.height = height;
  plan.routes = fabric::RouteMap(width, height);
  plan.start_task = 0;
  plan.sram.peak_bytes = address + 8 * words;
  const Operand own = memory(Dtype::f32, imm(address)), all = memory(Dtype::f32, imm(address + 4 * words));
  for (int kind = 0; kind < 6; ++kind) {  // first; odd, even; last odd or even of row 0; receiver of the last column
    Assembler a;
    a.task(0, "start");
    if (kind == 0) {
      a.bind_output(2, imm(0));
      a.mov(output(Dtype::f32, 2), own, imm(words));
    } else {
      const int parity = kind % 2;  // of x
      a.bind_input(0, imm(1 - parity));
      a.bind_input(1, imm(3));
      a.bind_output(2, imm(kind < 3 ? parity : 3));
      if (kind < 3)
        a.add(output(Dtype::f32, 2), own, input(Dtype::f32, 0), imm(words));
      else
        a.add(own, own, input(Dtype::f32, 0), imm(words));
      if (kind == 3 || kind == 4) a.mov(output(Dtype::f32, 2), own, imm(words));
      if (kind == 5) a.mov(all, input(Dtype::f32, 1), imm(words));
    }
    a.end_task();
    plan.programs.push_back(a.finish());
  }
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const bool last = x + 1 == width;
      plan.pe_class.push_back(static_cast<std::uint8_t>(x == 0 ? 0 : !last ? (x % 2 ? 1 : 2) : y > 0 ? 5 : (x % 2 ? 3 : 4)));
      const auto color = static_cast<fabric::Color>(x % 2);
      if (!last) plan.routes.add({x, y}, color, mask(ramp), mask(east));
      if (!last) plan.routes.add({x + 1, y}, color, mask(west), mask(ramp));
      if (last)
        plan.routes.add({x, y}, 3, y == 0 ? mask(ramp) : mask(north),
                        static_cast<fabric::DirectionMask>((y ? mask(ramp) : 0) | (y + 1 < height ? mask(south) : 0)));
    }
  return plan;
}

struct Cut {
  int width, height, threads;
};
class Cuts : public testing::TestWithParam<Cut> {};

struct Outcome {
  fabric::Cycle end;
  std::uint64_t hops;
  std::vector<std::uint64_t> activity;
  std::vector<float> values;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome run(const Cut& cut) {
  constexpr int width = 8, height = 7, words = 20;  // an even width: the last column is odd, as class 5 is
  Mesh mesh(sums(width, height, words), {}, {}, {cut.width, cut.height, cut.threads});
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int w = 0; w < words; ++w) mesh.write_float({x, y}, address, w, static_cast<float>(x * 100 + y * 10 + w));
  Outcome o{mesh.driver().run(0), mesh.hops(), {}, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const MeshDriver::Place p = mesh.driver().at({x, y});
      p.block->core->account_all(o.end);
      std::uint64_t sum = 0;
      for (std::size_t a = 0; a < activities; ++a) {
        o.activity.push_back(p.block->core->activity(p.pe, static_cast<Activity>(a)));
        sum += o.activity.back();
      }
      EXPECT_EQ(sum, o.end) << "PE " << x << ", " << y;
      for (int w = 0; w < 2 * words; ++w) o.values.push_back(mesh.read_float({x, y}, address, w));
    }
  EXPECT_TRUE(mesh.driver().quiet());
  return o;
}

TEST_P(Cuts, GiveTheSameCyclesActivitiesAndValuesAsOneBlock) {
  const Outcome one = run({64, 64, 1});
  EXPECT_TRUE(run(GetParam()) == one);
  // Row 3's sum of word 5 in its last PE, and what row 0's last PE told it.
  const std::size_t pe = (3u * 8 + 7) * 40;
  EXPECT_EQ(one.values[pe + 5], 8.0f * (3 * 10 + 5) + 100.0f * (0 + 1 + 2 + 3 + 4 + 5 + 6 + 7));
  EXPECT_EQ(one.values[pe + 20 + 5], 8.0f * 5 + 100.0f * 28);
}

INSTANTIATE_TEST_SUITE_P(Blocks, Cuts,
                         testing::Values(Cut{1, 1, 1}, Cut{1, 1, 2}, Cut{3, 5, 1}, Cut{3, 5, 2}, Cut{8, 1, 2}, Cut{1, 7, 2}, Cut{2, 3, 3}),
                         [](const auto& cut) {
                           return std::to_string(cut.param.width) + "x" + std::to_string(cut.param.height) + "Threads" +
                                  std::to_string(cut.param.threads);
                         });

// One word from the first PE to the last of a row; the others only pass it on.
fabric::Cycle one_word(int pes, const fabric::FabricSpec& spec) {
  WaferPlan plan;
  plan.width = pes;
  plan.height = 1;
  plan.routes = fabric::RouteMap(pes, 1);
  plan.start_task = 0;
  plan.sram.peak_bytes = 16;
  for (const int kind : {0, 1, 2}) {
    Assembler a;
    a.task(0, "start");
    if (kind == 0) a.bind_output(2, imm(0));
    if (kind == 0) a.mov(output(Dtype::f32, 2), memory(Dtype::f32, imm(8)), imm(1));
    if (kind == 2) a.bind_input(0, imm(0));
    if (kind == 2) a.mov(memory(Dtype::f32, imm(8)), input(Dtype::f32, 0), imm(1));
    a.end_task();
    plan.programs.push_back(a.finish());
  }
  for (int x = 0; x < pes; ++x) {
    plan.pe_class.push_back(static_cast<std::uint8_t>(x == 0 ? 0 : x + 1 < pes ? 1 : 2));
    plan.routes.add({x, 0}, 0, x == 0 ? mask(ramp) : mask(west), x + 1 == pes ? mask(ramp) : mask(east));
  }
  CoreSpec core;
  core.task_switch_cycles = core.scalar_cycles = 0;
  Mesh mesh(plan, spec, core, {4, 4, 1});
  return mesh.driver().run(0);
}

TEST(MeshDriver, AWordTakesOneCycleAHopAndTwoARamp) {
  // Issue in cycle 0, sent in cycle 1, in the router from 1 + 1 + ramp on, a hop each, the ramp, one cycle to store; the end is exclusive.
  for (const int hops : {1, 2, 3, 10, 50})
    EXPECT_EQ(one_word(hops + 1, {}), static_cast<fabric::Cycle>(1 + 1 + 2 + hops + 2 + 1 + 1)) << hops;
}

TEST(MeshDriver, HopAndRampLatenciesCountAsOftenAsTheyArePassed) {
  fabric::FabricSpec slow;
  slow.hop_cycles = 3;
  EXPECT_EQ(one_word(11, slow) - one_word(11, {}), 2u * 10);
  slow.hop_cycles = 1;
  slow.ramp_cycles = 5;
  EXPECT_EQ(one_word(11, slow) - one_word(11, {}), 3u * 2);
}

TEST(CutMesh, TilesTheMeshRowByRow) {
  const std::vector<fabric::Rectangle> blocks = cut_mesh(7, 5, 3, 4);
  ASSERT_EQ(blocks.size(), 6u);
  EXPECT_EQ(blocks[2].x, 6);
  EXPECT_EQ(blocks[2].width, 1);
  EXPECT_EQ(blocks[3].y, 4);
  EXPECT_EQ(blocks[3].height, 1);
}

}  // namespace
}  // namespace wafersim::models
