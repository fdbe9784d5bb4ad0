// SRAM of a step without its streams, and the layout of work areas.

#include <cstdint>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <string>

#include "models/sram_allocator.h"
#include "sim/error.h"
#include "tests/support/small_model.h"
#include "tests/workloads/small_run.h"
#include "workloads/graph.h"
#include "workloads/kernels/colors.h"
#include "workloads/kernels/lower.h"
#include "workloads/kernels/streams.h"
#include "workloads/kernels/wafer_routes.h"
#include "workloads/kernels/work_area.h"
#include "workloads/mapping_advice.h"

namespace wafersim::workloads {
namespace {

// A GPT-2 as large as GPT-J, in tiles of 23 tokens and 18 features of a head: more weights than any stream could number.
LoweringSpec large() {
  LoweringSpec spec;
  spec.shape = {50400, 2048, 4096, 28, 16, 4 * 4096, 1e-5, true};
  spec.layout = {3, 240, 996, 66, 2048, 16, 15, 22, 90, 23};
  spec.loss_outputs_per_pe = 210;
  spec.type = sim::Dtype::f16;
  return spec;
}

models::SramSpec sram_of(int bytes) {
  models::SramSpec sram;
  sram.bytes = bytes;
  return sram;
}

TEST(MemoryMap, IsThatOfTheLoweredPlan) {
  for (const sim::Dtype type : {sim::Dtype::f32, sim::Dtype::f16})
    for (const int outputs : {0, 2}) {
      tests::SmallModel model;
      model.type = type;
      model.loss_outputs_per_pe = outputs;
      const tests::Experiment experiment = tests::make_experiment(model);
      const MemoryMap map = memory_map(experiment.lowering, experiment.graph, experiment.machine.sram);
      const models::WaferPlan plan = experiment.plan();
      EXPECT_EQ(map.refusal, "");
      EXPECT_EQ(map.sram.peak_bytes, plan.sram.peak_bytes);
      ASSERT_EQ(map.sram.regions.size(), plan.sram.regions.size());
      for (std::size_t i = 0; i < plan.sram.regions.size(); ++i) {
        EXPECT_EQ(map.sram.regions[i].name, plan.sram.regions[i].name);
        EXPECT_EQ(map.sram.regions[i].address, plan.sram.regions[i].address);
        EXPECT_EQ(map.sram.regions[i].bytes, plan.sram.regions[i].bytes);
      }
    }
}

TEST(MemoryMap, TellsWhatIsHeldWhenItIsFullest) {
  models::SramAllocator allocator(64);
  allocator.allocate("kept", 16);
  const int gone = allocator.allocate("gone", 32);
  allocator.free(gone);
  allocator.allocate("lower", 24);
  allocator.allocate("last", 24);
  std::map<std::string, bool> at_peak;
  for (const models::SramMap::Region& region : allocator.map().regions) at_peak[region.name] = region.at_peak;
  EXPECT_EQ(at_peak, (std::map<std::string, bool>{{"kept", true}, {"gone", false}, {"lower", true}, {"last", true}}));
  EXPECT_EQ(allocator.map().peak_bytes, 64);
}

TEST(MemoryMap, NeedsNoStreamsOfSixBillionWeights) {
  const LoweringSpec spec = large();
  const TrainingGraph graph = differentiate(build_model(spec.shape));
  const MemoryMap map = memory_map(spec, graph, sram_of(4 << 20));
  EXPECT_EQ(map.refusal, "");
  EXPECT_GT(map.sram.peak_bytes, 28 * 18 * 24 * 2 * 10);  // ten tiles a layer stay for the backward pass
  try {
    lower(spec, graph, {}, sram_of(4 << 20));
    FAIL() << "lowered";
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::unsupported);
    EXPECT_NE(std::string(error.what()).find("parameters"), std::string::npos) << error.what();
  }
}

TEST(MemoryMap, NamesTheArrayThatDoesNotFitAndItsBytes) {
  const LoweringSpec spec = large();
  const MemoryMap map = memory_map(spec, differentiate(build_model(spec.shape)), sram_of(48 << 10));
  EXPECT_NE(map.refusal.find("SRAM overflow: h.4.mlp.act needs 3312"), std::string::npos) << map.refusal;
  EXPECT_NE(map.refusal.find(" bytes a PE where "), std::string::npos) << map.refusal;
  EXPECT_FALSE(map.loss_refused);
}

TEST(MemoryMap, SaysThatSmallerChunksOfTheVocabularyCouldHelp) {
  tests::SmallModel model;
  model.vocabulary = 4096;
  model.loss_outputs_per_pe = 1024;
  tests::Experiment experiment = tests::make_experiment(model);
  EXPECT_TRUE(memory_map(experiment.lowering, experiment.graph, sram_of(24000)).loss_refused);
  experiment.lowering.loss_outputs_per_pe = 64;
  EXPECT_EQ(memory_map(experiment.lowering, experiment.graph, sram_of(24000)).refusal, "");
}

TEST(MemoryMap, RefusesTilesWhoseBytesAreBeyond32Bits) {
  tests::SmallModel model;
  model.vocabulary = 1 << 20;
  model.heads = model.columns_per_head = model.rows = model.batch = 1;
  model.sequence = 4096;
  tests::Experiment experiment = tests::make_experiment(model);
  const auto refusal = [&] {
    return memory_map(experiment.lowering, experiment.graph, sram_of(std::numeric_limits<int>::max() / 2)).refusal;
  };
  EXPECT_NE(refusal().find("SRAM overflow: loss: work needs 171"), std::string::npos) << refusal();  // (2^20 + few) * 4096 * 4 bytes
  experiment.lowering.layout.tokens_per_pe = 1 << 24;
  EXPECT_NE(refusal().find("a tile of 4294967296 bytes is beyond a PE's integers"), std::string::npos) << refusal();  // 64 features
}

TEST(MemoryMap, RefusesAStepOfMoreCallsThanCanBeNumbered) {
  tests::SmallModel model;
  model.vocabulary = 100000;
  model.heads = model.columns_per_head = model.loss_outputs_per_pe = 1;
  const tests::Experiment experiment = tests::make_experiment(model);
  const MemoryMap map = memory_map(experiment.lowering, experiment.graph, sram_of(1 << 28));
  EXPECT_NE(map.refusal.find("at most 65535 can be numbered"), std::string::npos) << map.refusal;
}

TEST(MappingAdvice, NamesAMeshOnWhichTheRunFits) {
  RunSpec run = small_run();
  const ModelShape& shape = run.model.shape;
  const TrainingGraph graph = differentiate(build_model(shape));
  const int whole = map_run(run).sram.peak_bytes;
  run.machine.sram.bytes = whole - 8;
  const std::optional<Layout> layout = smallest_fitting_layout(run, shape, graph, run.machine);
  ASSERT_TRUE(layout.has_value());
  run.mapping.rectangle = {0, 0, layout->columns, layout->rows};
  EXPECT_LE(map_run(run).sram.peak_bytes, run.machine.sram.bytes);
}

TEST(MappingAdvice, KnowsWhenNoMeshHelps) {
  RunSpec run = small_run();
  run.machine.sram.bytes = 4096;  // less than the programs
  EXPECT_FALSE(smallest_fitting_layout(run, run.model.shape, differentiate(build_model(run.model.shape)), run.machine).has_value());
}

TEST(SramAllocator, AnArrayThatShrinksGivesItsEndToTheNext) {
  models::SramAllocator allocator(64);
  EXPECT_EQ(allocator.allocate("wide", 64), 0);
  EXPECT_THROW(allocator.allocate("next", 8), sim::Error);
  allocator.shrink(0, 32);
  EXPECT_EQ(allocator.allocate("next", 32), 32);
  EXPECT_EQ(allocator.peak_bytes(), 64);
  EXPECT_THROW(allocator.shrink(32, 40), sim::Error);  // that would grow
}

TEST(WorkArea, PartsFollowEachOtherInTheirPhases) {
  WorkArea area;
  EXPECT_EQ(area.part(16, 4), 4);
  EXPECT_EQ(area.part(12, 4), 20);
  EXPECT_EQ(area.part(3, 0), 32);
  EXPECT_EQ(area.part(8, 4), 36);
  EXPECT_EQ(area.bytes(), 48);
  area.part(std::int64_t{1} << 40, 0);
  EXPECT_EQ(area.bytes(), 48 + (std::int64_t{1} << 40));
}

TEST(Streams, AFeederRelaysWhatItsColumnIsSent) {
  Layout layout;
  layout.columns = layout.heads = 4;
  layout.rows = 5;
  const FeatureMap inputs = contiguous_features(11, 4), outputs = contiguous_features(6, 4);
  for (const sim::Dtype type : {sim::Dtype::f32, sim::Dtype::f16}) {
    StreamBuilder stream(layout, type);
    stream.linear_weights(inputs, outputs, [](int, int) { return 0U; });
    std::map<std::pair<int, int>, std::int64_t> words;  // by feeder row and color
    for (const memoryx::StreamWord& word : stream.take().in) ++words[{word.port.row, word.color}];
    EXPECT_EQ(words.size(), 4U);
    for (const auto& [feeder, count] : words) EXPECT_EQ(count, weight_words(layout, type, inputs.per_column, outputs.per_column));
  }
}

}  // namespace
}  // namespace wafersim::workloads
