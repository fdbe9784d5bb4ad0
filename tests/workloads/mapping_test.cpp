// The search for a layout: what it obeys, what it prefers, what it says when nothing fits.

#include "workloads/mapping.h"

#include <gtest/gtest.h>
#include <string>

#include "sim/error.h"
#include "tests/workloads/small_run.h"
#include "workloads/closed_form.h"
#include "workloads/graph.h"
#include "workloads/mapping_advice.h"
#include "workloads/mapping_candidates.h"

namespace wafersim::workloads {
namespace {

sim::Error refusal(const RunSpec& run) {
  try {
    map_run(run);
  } catch (const sim::Error& error) {
    return error;
  }
  ADD_FAILURE() << "the run was mapped";
  return {sim::ErrorCategory::invariant, ""};
}

TEST(Mapping, UsesTheWholeMeshOfTheMainJobWithoutPadding) {
  const RunSpec run = read_run_spec("main", {}, ".");
  const Mapping mapping = map_run(run);
  EXPECT_EQ(mapping.layout.lanes * mapping.layout.columns, 16);
  EXPECT_EQ(mapping.layout.rows, 16);
  EXPECT_EQ(mapping.padding.token_slots, 0);
  EXPECT_EQ(mapping.padding.features, 0);
  EXPECT_EQ(mapping.padding.vocabulary, 0);
  EXPECT_LE(mapping.sram.peak_bytes, 48 * 1024);
}

TEST(Mapping, TakesRatesThatAreNoWholeNumbersAsInstructionsDo) {
  const auto cycles = [](double rate) {
    RunSpec run = read_run_spec("main", {}, ".");
    run.mapping.rectangle.width = 4;  // 16 features and 32 tokens a PE: multiply-adds are most of the step
    run.machine.sram.bytes = 1000000;
    run.machine.core.function = {1, 1, 1, 1, 1, 1, 1, 1};
    run.training.batch = 16;
    run.machine.io.bandwidth_override = 1e14;
    run.machine.core.rate.mixed_fma = rate;
    return map_run(run).estimated_cycles;
  };
  EXPECT_EQ(cycles(2.9), cycles(2));
  EXPECT_EQ(cycles(0.67), cycles(1));
  EXPECT_EQ(cycles(0.3), cycles(1.0 / 3));
  EXPECT_GT(cycles(0.5), 1.5 * cycles(1));
}

TEST(Mapping, CandidatesObeyTheRectangle) {
  RunSpec run = small_run();
  run.mapping.rectangle = {0, 0, 11, 9};
  run.training.batch = 5;
  run.mapping.micro_batches = 1;
  const std::vector<Layout> layouts = candidate_layouts(run, run.model.shape);
  EXPECT_GT(layouts.size(), 10U);
  for (const Layout& layout : layouts) {
    EXPECT_LE(layout.lanes * layout.columns, 11);
    EXPECT_LE(layout.columns, layout.rows);
    EXPECT_EQ(layout.rows, 9);
    EXPECT_GE(layout.lanes * layout.samples_per_lane, 5);
    EXPECT_LT((layout.lanes - 1) * layout.samples_per_lane, 5);  // the last lane has a sample
    EXPECT_LE(layout.samples_per_lane * layout.rows_per_sequence, 9);
    EXPECT_GE(layout.tokens_per_pe * layout.rows_per_sequence, 8);
    EXPECT_LT(layout.tokens_per_pe * (layout.rows_per_sequence - 1), 8);  // its last row has a token
  }
}

TEST(Mapping, ChoosesTheFewestEstimatedCyclesOfAllCandidates) {
  const RunSpec run = small_run();
  const Mapping mapping = map_run(run);
  const TrainingGraph graph = differentiate(build_model(run.model.shape));
  EXPECT_DOUBLE_EQ(mapping.estimated_cycles, estimate_step_cycles(lowering_spec(mapping, run, run.model.shape), graph, run.machine));
  for (const Layout& layout : candidate_layouts(run, run.model.shape)) {
    const int outputs = (run.model.shape.vocabulary + layout.columns - 1) / layout.columns;
    EXPECT_LE(mapping.estimated_cycles,
              estimate_step_cycles({run.model.shape, layout, outputs, run.dtype, run.training.batch / layout.batch}, graph, run.machine));
  }
}

TEST(Mapping, EstimatesDeepModelsLayerByLayer) {
  RunSpec run = small_run();
  run.model.shape.layers = 4;
  const Mapping mapping = map_run(run);
  const TrainingGraph graph = differentiate(build_model(run.model.shape));
  const double whole = estimate_step_cycles(lowering_spec(mapping, run, run.model.shape), graph, run.machine);
  EXPECT_NEAR(mapping.estimated_cycles, whole, 1e-9 * whole);
}

TEST(Mapping, KeepsTheFiveBestOthersWithReasons) {
  const Mapping mapping = map_run(small_run());
  ASSERT_EQ(mapping.rejected.size(), 5U);
  double before = mapping.estimated_cycles;
  for (const Mapping::Rejected& other : mapping.rejected) {
    EXPECT_GE(other.estimated_cycles, before);
    EXPECT_NE(other.reason.find("slower"), std::string::npos) << other.reason;
    before = other.estimated_cycles;
  }
}

TEST(Mapping, RespectsWhatIsPinned) {
  RunSpec run = small_run();
  run.mapping.lanes = 2;
  run.mapping.tokens_per_pe = 3;
  run.mapping.features_per_pe = 8;
  const Mapping mapping = map_run(run);
  EXPECT_EQ(mapping.layout.lanes, 2);
  EXPECT_EQ(mapping.tokens_per_pe, 3);
  EXPECT_EQ(mapping.layout.tokens_per_pe, 3);
  EXPECT_EQ(mapping.layout.rows_per_sequence, 3);
  EXPECT_EQ(mapping.features_per_pe, 8);
  EXPECT_EQ(mapping.layout.columns_per_head, 1);
  EXPECT_EQ(mapping.padding.token_slots, 1 - 32.0 / (2 * 8 * 3));
}

TEST(Mapping, ComputesAgainOrSplitsTheBatchOnlyWhereActivationsDoNotFit) {
  RunSpec run = small_run();
  run.model.shape.layers = 8;
  const Mapping free = map_run(run);
  EXPECT_EQ(free.micro_batches, 1);
  EXPECT_EQ(recomputed_layers(free.recompute), 0);
  run.mapping.lanes = free.layout.lanes;
  run.mapping.tokens_per_pe = free.tokens_per_pe;
  run.mapping.features_per_pe = free.features_per_pe;
  run.mapping.micro_batches = 1;
  run.machine.sram.bytes = free.sram.peak_bytes - 8;
  EXPECT_TRUE(recomputed_layers(map_run(run).recompute) > 0);
  run.mapping.recompute = Recompute{};
  EXPECT_EQ(refusal(run).category(), sim::ErrorCategory::plan);
}

TEST(Mapping, KeepsActivationsOfAsManyOfTheLastLayersAsFit) {
  RunSpec run = small_run();
  run.model.shape.layers = 8;
  const Mapping free = map_run(run);
  run.mapping.lanes = free.layout.lanes;
  run.mapping.tokens_per_pe = free.tokens_per_pe;
  run.mapping.features_per_pe = free.features_per_pe;
  run.mapping.micro_batches = 1;
  run.mapping.recompute = recompute_first(8, 8);
  const Mapping none_kept = map_run(run);
  run.machine.sram.bytes = (free.sram.peak_bytes + none_kept.sram.peak_bytes) / 2;
  run.mapping.recompute = {};
  const Mapping some = map_run(run);
  const int again = recomputed_layers(some.recompute);
  EXPECT_GT(again, 1);
  EXPECT_LT(again, 7);
  EXPECT_EQ(some.recompute, recompute_first(again, 8));
  EXPECT_GT(some.estimated_cycles, free.estimated_cycles);
  EXPECT_LT(some.estimated_cycles, none_kept.estimated_cycles);
  const TrainingGraph graph = differentiate(build_model(run.model.shape), some.recompute);
  const double whole = estimate_step_cycles(lowering_spec(some, run, run.model.shape), graph, run.machine);
  EXPECT_NEAR(some.estimated_cycles, whole, 1e-9 * whole);
  EXPECT_EQ(plan_of(run, some).sram.peak_bytes, some.sram.peak_bytes);
  run.mapping.recompute = recompute_first(again - 1, 8);
  EXPECT_EQ(refusal(run).category(), sim::ErrorCategory::plan);
}

TEST(Mapping, RunsAsManyMicroBatchesAsArePinned) {
  RunSpec run = small_run();
  run.mapping.micro_batches = run.training.batch;
  const Mapping mapping = map_run(run);
  EXPECT_EQ(mapping.micro_batches, run.training.batch);
  EXPECT_EQ(plan_of(run, mapping).micro_batches, run.training.batch);
  EXPECT_EQ(mapping.layout.batch, 1);
}

// Two heads of 8 features in a column each: the residual stream of 16 takes 6 a PE in a third.
TEST(Mapping, MayAddColumnsBehindHeadsForFewerFeaturesAPE) {
  RunSpec run = small_run();
  run.mapping.features_per_pe = 6;
  const Mapping mapping = map_run(run);
  EXPECT_EQ(mapping.layout.columns_per_head, 1);
  EXPECT_EQ(mapping.layout.head_columns(), 2);
  EXPECT_EQ(mapping.layout.columns, 3);
  EXPECT_EQ(mapping.features_per_pe, 6);
  ModelShape grouped = run.model.shape;
  grouped.family = Family::llama;
  grouped.kv_heads = 1;
  EXPECT_THROW(choose_mapping(run, grouped, run.machine), sim::Error);  // keys of a group lie in all of the lane's columns
}

TEST(Mapping, RefusesPinsThatDoNotFitTheRectangleAndNamesATileThatDoes) {
  RunSpec run = small_run();
  run.mapping.lanes = 5;
  const sim::Error error = refusal(run);
  EXPECT_EQ(error.category(), sim::ErrorCategory::plan);
  EXPECT_NE(std::string(error.what()).find("8 x 8 PEs as mapping.* pins them"), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find("would fit"), std::string::npos) << error.what();
}

TEST(Mapping, RefusesAMeshWithFewerColumnsThanHeads) {
  RunSpec run = small_run();
  run.mapping.rectangle = {0, 0, 1, 8};
  const sim::Error error = refusal(run);
  EXPECT_EQ(error.category(), sim::ErrorCategory::plan);
  EXPECT_NE(std::string(error.what()).find("2 heads of 8 features"), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find("8 tokens and 8 features would fit on a mesh of 2 x 2 PEs"), std::string::npos) << error.what();
}

TEST(Mapping, RefusesWhereNoTileHoldsTheInputsOfAllLayersAndSaysWhatTheSmallestNeeds) {
  RunSpec run = small_run();
  run.machine.sram.bytes = 1024;
  run.model.shape.layers = 1000;
  const sim::Error error = refusal(run);
  EXPECT_EQ(error.category(), sim::ErrorCategory::plan);
  for (const char* part : {"the input alone of 1000 layers takes", "bytes a PE of 1024", "no tile fits this rectangle: the smallest has",
                           "no mesh has a tile that fits (sram.bytes)"})
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
}

TEST(Mapping, TakesAnotherTileWhenTheFastestDoesNotFitSram) {
  const Mapping free = map_run(small_run());
  RunSpec run = small_run();
  run.machine.sram.bytes = free.sram.peak_bytes - 8;
  const Mapping mapping = map_run(run);
  EXPECT_LE(mapping.sram.peak_bytes, run.machine.sram.bytes);
  EXPECT_GT(mapping.estimated_cycles, free.estimated_cycles);
  ASSERT_FALSE(mapping.rejected.empty());
  EXPECT_NE(mapping.rejected.front().reason.find("SRAM overflow"), std::string::npos) << mapping.rejected.front().reason;
}

TEST(Mapping, NamesArrayBytesAndTileWhenNothingFitsSram) {
  RunSpec run = small_run();
  run.machine.sram.bytes = 4096;
  const sim::Error error = refusal(run);
  EXPECT_EQ(error.category(), sim::ErrorCategory::plan);
  EXPECT_NE(std::string(error.what()).find("SRAM overflow: code and descriptors needs"), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find("no tile fits this rectangle"), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find("no batch fits"), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find("no mesh has a tile that fits"), std::string::npos) << error.what();
}

TEST(Mapping, NamesTheSmallestTileOfAllThatDoNotFit) {
  RunSpec run = small_run();
  run.training.batch = 64;
  for (const int bytes : {4096, 8192}) {  // too few for the code, and for more
    run.machine.sram.bytes = bytes;
    EXPECT_NE(std::string(refusal(run).what()).find("the smallest has 1 tokens and 2 features a PE"), std::string::npos);
  }
  run.model.shape.layers = 4096;  // of which the inputs alone are too much
  EXPECT_NE(std::string(refusal(run).what()).find("the smallest has 1 tokens and 2 features a PE"), std::string::npos);
}

TEST(Mapping, NamesTheLargestBatchThatFitsWhenAPinnedNumberOfMicroBatchesDoesNot) {
  RunSpec run = small_run();
  run.training.batch = 4096;
  run.mapping.micro_batches = 2;
  const std::string message = refusal(run).what();
  const std::string before = "the largest batch that fits with what mapping.* pins is ";
  const std::size_t found = message.find(before);
  ASSERT_NE(found, std::string::npos) << message;
  const int largest = std::stoi(message.substr(found + before.size()));
  run.training.batch = largest;
  EXPECT_EQ(map_run(run).micro_batches, 2) << "it fits";
  run.training.batch = largest + 2;
  EXPECT_EQ(refusal(run).category(), sim::ErrorCategory::plan) << "no larger one does";
}

TEST(Mapping, TheLongestSequenceFitsAndNoLongerOneDoes) {
  RunSpec run = small_run();
  run.training.batch = 1;
  const TrainingGraph graph = differentiate(build_model(run.model.shape), least_kept(run, run.model.shape));
  const std::optional<Layout> longest = longest_sequence_layout(run, run.model.shape, graph, run.machine);
  ASSERT_TRUE(longest.has_value());
  run.training.sequence = longest->sequence;
  EXPECT_EQ(map_run(run).layout.sequence, longest->sequence);
  run.training.sequence = longest->sequence + 1;
  EXPECT_EQ(refusal(run).category(), sim::ErrorCategory::plan);
}

TEST(Mapping, NamesTheTileThatWouldFitWhenAPinnedOneDoesNot) {
  RunSpec run = small_run();
  const int fits = map_run(run).sram.peak_bytes;
  run.mapping.lanes = 1;
  run.mapping.tokens_per_pe = 8;
  run.mapping.features_per_pe = 8;
  ASSERT_GT(map_run(run).sram.peak_bytes, fits);
  run.machine.sram.bytes = fits;
  const sim::Error error = refusal(run);
  EXPECT_EQ(error.category(), sim::ErrorCategory::plan);
  EXPECT_NE(std::string(error.what()).find(" bytes a PE where "), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find("mapping.features_per_pe = "), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find(" would fit"), std::string::npos) << error.what();
}

TEST(Mapping, ReportsWhatIsPadding) {
  RunSpec run = small_run();
  run.model.shape.vocabulary = 25;
  run.training.batch = 3;
  run.mapping.lanes = 1;
  run.mapping.tokens_per_pe = 4;
  run.mapping.features_per_pe = 3;  // of heads of 8: 3 columns, 9 places
  run.mapping.rectangle = {0, 0, 6, 7};
  const Mapping mapping = map_run(run);
  EXPECT_DOUBLE_EQ(mapping.padding.token_slots, 1 - 24.0 / 28);
  EXPECT_DOUBLE_EQ(mapping.padding.features, 1 - 16.0 / 18);
  EXPECT_DOUBLE_EQ(mapping.padding.vocabulary, 1 - 25.0 / 30);
}

// Layers' inputs alone refuse most of what a deep model could do; what is chosen is what a search without bounds would choose.
TEST(Mapping, SearchesAWholeWaferForADeepModel) {
  RunSpec run = small_run();
  run.model.shape = {50400, 2048, 4096, 28, 16, 16384, 1e-5, true};
  run.training.batch = 66;
  run.training.sequence = 2048;
  run.machine = models::machine_preset("cs2");
  run.mapping.rectangle = {4, 1, 750, 994};
  run.fidelity = Fidelity::sampled;
  const Mapping mapping = map_run(run);
  EXPECT_GT(recomputed_layers(mapping.recompute), 20);
  EXPECT_LE(28 * 2 * mapping.tokens_per_pe * mapping.features_per_pe, run.machine.sram.bytes);
  ASSERT_EQ(mapping.rejected.size(), 5u);
  for (const Mapping::Rejected& other : mapping.rejected) EXPECT_NE(other.reason.find("SRAM overflow"), std::string::npos) << other.reason;
  double before = 0;
  for (const Mapping::Rejected& other : mapping.rejected) {
    EXPECT_GE(other.estimated_cycles, before);
    before = other.estimated_cycles;
  }
}

}  // namespace
}  // namespace wafersim::workloads
