#include "memoryx/stream_work.h"

#include <gtest/gtest.h>

#include "memoryx/parameter_store.h"
#include "sim/error.h"
#include "tests/memoryx/small_model.h"

namespace wafersim::memoryx {
namespace {

using Kind = StreamValue::Kind;

StreamWord word(Port port, StreamValue value) { return {port, 0, sim::Dtype::f32, value, {}}; }

StepWork work_of_call(const CallStream& call, const ParameterStore& store = small_store()) {
  return work_of({&call}, small_timing(), store.table(), small_training(), 2);
}

TEST(StreamWork, SharesAChannelsWordsOutOverSixteenBlocksWhatIsSentAheadFirst) {
  CallStream call;
  call.in = {word(west_port(0), {Kind::start, 0, 0, 0}), word(west_port(1), {Kind::parameter, 0, 14, 0}),
             word(west_port(2), {Kind::parameter, 0, 15, 0}), word(east_port(0), {Kind::parameter, 0, 16, 0}),
             word(west_port(0), {Kind::target, 0, 0, 0})};
  EXPECT_EQ(block_numbers(call, small_timing()), (std::vector<std::uint8_t>{0, 0, 8, 0, 0}));
}

TEST(StreamWork, ACallThatOnlyItsStartComesForIsOneBlock) {
  CallStream call;
  call.in = {word(west_port(0), {Kind::word, 0, 5, 0}), word(west_port(0), {Kind::start, 0, 0, 0})};
  EXPECT_EQ(blocks_of(call), 1);
  call.out = {{east_port(0), 0, {{GradientWord::Kind::discard, 0, 0}}}};
  EXPECT_EQ(blocks_of(call), 16);
}

TEST(StreamWork, CountsTheElementsOfEachTensorAndWhereInTheCallTheyCome) {
  CallStream call;
  for (const std::uint32_t element : {8u, 9u, 10u, 11u}) call.in.push_back(word(west_port(0), {Kind::parameter, 0, element, 0}));
  for (const std::uint32_t element : {14u, 15u, 16u, 16u}) call.in.push_back(word(west_port(0), {Kind::parameter, 0, element, 0}));
  const StepWork work = work_of_call(call);
  EXPECT_EQ(work.micro_batches, 2);
  EXPECT_EQ(work.tensor_elements, (std::vector<double>{8, 6, 3}));
  ASSERT_EQ(work.calls[0].reads.size(), 2u);
  const TensorUse &first = work.calls[0].reads[0], &second = work.calls[0].reads[1];
  EXPECT_EQ(first.tensor, 1);
  EXPECT_EQ(first.elements, 4);
  EXPECT_EQ(first.from, 0);
  EXPECT_EQ(first.to, 7.0 / 16);
  EXPECT_EQ(second.tensor, 2);
  EXPECT_EQ(second.elements, 4);
  EXPECT_EQ(second.from, 0.5);
  EXPECT_FALSE(first.own);
}

// A matrix of 64 rows of 32: read row by row it lies together; a column at a time every element is a run.
TEST(StreamWork, KnowsWhatIsReadAcrossItsRows) {
  ParameterTable table;
  table.add("w", {64, 32}, ParameterEntry::Initial::zero);
  for (const bool across : {false, true}) {
    CallStream call;
    for (std::uint32_t i = 0; i < 2048; ++i)
      call.in.push_back(word(west_port(0), {Kind::parameter, 0, across ? i % 64 * 32 + i / 64 : i, 0}));
    const StepWork work = work_of({&call}, small_timing(), table, small_training(), 1);
    EXPECT_EQ(work.calls[0].reads[0].run, across ? 2 : 0);  // a sixteenth is two columns
  }
}

TEST(StreamWork, RowsOfTokensAreTheSystemsOwn) {
  CallStream call;
  for (std::uint32_t feature = 0; feature < 2; ++feature) call.in.push_back(word(west_port(0), {Kind::token_row, 2, feature, 3}));
  call.in.push_back(word(west_port(0), {Kind::token_row, 2, 0, StreamValue::no_token}));
  call.out = {{east_port(0), 0, {{GradientWord::Kind::token_row, 0, 3}, {GradientWord::Kind::token_row, 1, 3}}},
              {east_port(1), 0, {{GradientWord::Kind::parameter, 15, 0}, {GradientWord::Kind::loss, 0, 0}}}};
  const CallWork work = work_of_call(call).calls[0];
  ASSERT_EQ(work.reads.size(), 1u);
  EXPECT_TRUE(work.reads[0].own);
  EXPECT_EQ(work.reads[0].elements, 2);
  EXPECT_EQ(work.reads[0].run, 2);
  std::vector<std::tuple<int, double, bool>> gradients;
  for (const TensorUse& use : work.gradients) gradients.push_back({use.tensor, use.elements, use.own});
  // The bias; the rows of the tokens and those of their positions.
  EXPECT_EQ(gradients, (std::vector<std::tuple<int, double, bool>>{{2, 1, false}, {0, 2, true}, {1, 2, true}}));
}

TEST(StreamWork, RefusesAnElementBeyondTheStore) {
  CallStream call;
  call.in = {word(west_port(0), {Kind::parameter, 0, 17, 0})};
  EXPECT_THROW(work_of_call(call), sim::Error);
}

}  // namespace
}  // namespace wafersim::memoryx
