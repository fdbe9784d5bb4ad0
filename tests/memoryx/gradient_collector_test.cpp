#include "memoryx/gradient_collector.h"

#include <bit>
#include <gtest/gtest.h>
#include <string>
#include <tuple>

#include "sim/error.h"
#include "tests/memoryx/one_wafer.h"

namespace wafersim::memoryx {
namespace {

using Kind = GradientWord::Kind;

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

TEST(GradientCollector, StoresEachPortsWordsInTheOrderOfTheCalls) {
  ParameterStore store = small_store();
  CallStream first, second;
  first.out = {{west_port(0), 0, {{Kind::parameter, 14, 0}, {Kind::discard, 0, 0}}}, {east_port(2), 0, {{Kind::loss, 0, 0}}}};
  second.out = {{east_port(2), 0, {{Kind::parameter, 0, 0}}}, {west_port(0), 0, {{Kind::parameter, 16, 0}}}};
  OneWafer wafer({&first, &second}, small_training(), store);
  wafer.begin_step();
  EXPECT_EQ(wafer.collector.expected_words(), 5u);
  wafer.reader.arrive(east_port(2), 0, bits(4.5f), 10);
  wafer.reader.arrive(east_port(2), 0, bits(0.5f), 11);
  wafer.reader.arrive(west_port(0), 0, bits(14.0f), 12);
  wafer.reader.arrive(west_port(0), 0, bits(99.0f), 13);
  EXPECT_FALSE(wafer.collector.complete());
  wafer.reader.arrive(west_port(0), 0, bits(16.0f), 14);
  EXPECT_TRUE(wafer.collector.complete());
  EXPECT_EQ(wafer.collector.loss_sum(), 4.5f);
  std::vector<float> expected(17);
  expected[0] = 0.5f;
  expected[14] = 14.0f;
  expected[16] = 16.0f;
  EXPECT_EQ(store.gradients(), expected);
}

TEST(GradientCollector, SaysWhenSixteenthsOfACallsWordsHaveCome) {
  ParameterStore store = small_store();
  CallStream first, second;
  first.out = {{west_port(0), 0, {{Kind::parameter, 14, 0}, {Kind::parameter, 15, 0}, {Kind::token_row, 0, 5}}}};
  second.out = {{west_port(1), 0, {{Kind::parameter, 16, 0}}}};
  OneWafer wafer({&first, &second}, small_training(), store);
  wafer.begin_step();
  wafer.reader.arrive(west_port(0), 0, 0, 20);
  wafer.reader.arrive(west_port(0), 0, 0, 23);
  wafer.reader.arrive(west_port(1), 0, 0, 25);  // of a later call, which the first does not hold up
  wafer.reader.arrive(west_port(0), 0, 0, 29);
  std::vector<std::tuple<int, double, bool, std::uint64_t>> told;
  for (const GradientCollector::Arrived& a : wafer.collector.take_arrived()) told.push_back({a.call, 16 * a.share, a.last, a.cycle});
  EXPECT_EQ(told, (std::vector<std::tuple<int, double, bool, std::uint64_t>>{
                      {0, 5, false, 20}, {0, 5, false, 23}, {1, 16, true, 25}, {0, 6, true, 29}}));
  EXPECT_FALSE(wafer.collector.any_arrived());
}

// All tokens' rows arrive, the last token first; feature f of token n is n + 1 + f / 2, times a power that makes the order of sums visible.
float token_gradient(std::uint32_t token, std::uint32_t feature) {
  return token == 0 ? 0x1p25f : static_cast<float>(token) + 0.5f * static_cast<float>(feature);
}

TEST(GradientCollector, AddsTokensToBothEmbeddingsAscendingAfterTheUnembeddingsPart) {
  ParameterStore store = small_store();
  CallStream call;
  CallStream::PortWords rows{east_port(0), 0, {}};
  for (std::uint32_t token = 6; token-- > 0;)
    for (std::uint32_t feature = 0; feature < 2; ++feature) rows.words.push_back({Kind::token_row, feature, token});
  call.out = {rows, {west_port(1), 0, {{Kind::parameter, 2, 0}}}};  // wte row 1, feature 0
  OneWafer wafer({&call}, small_training(), store);
  wafer.begin_step();
  for (std::uint32_t token = 6; token-- > 0;)
    for (std::uint32_t feature = 0; feature < 2; ++feature) wafer.reader.arrive(east_port(0), 0, bits(token_gradient(token, feature)), 5);
  wafer.reader.arrive(west_port(1), 0, bits(3.0f), 6);
  const StepBatch batch = small_batch();  // ids 1 3 1 0 2 1
  wafer.collector.scatter_tokens(batch.tokens);
  // Row 1, feature 0: ((3 + 2^25) + 2) + 5 in fp32.
  float row1 = 3.0f;
  for (const float g : {0x1p25f, 2.0f, 5.0f}) row1 = row1 + g;
  EXPECT_EQ(store.gradients()[2], row1);
  EXPECT_EQ(store.gradients()[0], 3.0f);            // id 0: token 3
  EXPECT_EQ(store.gradients()[7], 1.5f);            // id 3, feature 1: token 1
  EXPECT_EQ(store.gradients()[8], 0x1p25f + 3.0f);  // position 0: tokens 0 and 3
  EXPECT_EQ(store.gradients()[13], 2.5f + 5.5f);    // position 2, feature 1: tokens 2 and 5
}

TEST(GradientCollector, AddsAllTokensToTheRowOfTheirType) {
  ParameterStore store = small_store();
  TrainingSpec training = small_training();
  training.embedding.type = 14;
  CallStream call;
  CallStream::PortWords rows{east_port(0), 0, {}};
  for (std::uint32_t token = 0; token < 6; ++token) rows.words.push_back({Kind::token_row, 1, token});
  call.out = {rows};
  OneWafer wafer({&call}, training, store);
  wafer.begin_step();
  for (std::uint32_t token = 0; token < 6; ++token) wafer.reader.arrive(east_port(0), 0, bits(token_gradient(token, 1)), 5);
  wafer.collector.scatter_tokens(small_batch().tokens);
  float sum = 0.0f;
  for (std::uint32_t token = 0; token < 6; ++token) sum = sum + token_gradient(token, 1);
  EXPECT_EQ(store.gradients()[15], sum);
  EXPECT_EQ(store.gradients()[14], 0.0f);
}

TEST(GradientCollector, AStepBeginsWithNothing) {
  ParameterStore store = small_store();
  CallStream call;
  call.out = {{west_port(0), 0, {{Kind::parameter, 0, 0}}}};
  OneWafer wafer({&call}, small_training(), store);
  for (int step = 0; step < 2; ++step) {
    wafer.begin_step();
    EXPECT_EQ(store.gradients()[0], 0.0f);
    EXPECT_EQ(wafer.collector.arrived_words(), 0u);
    wafer.reader.arrive(west_port(0), 0, bits(2.0f), 1);
    EXPECT_EQ(store.gradients()[0], 2.0f);
  }
}

TEST(GradientReader, AWordThatNoCallAnnouncesIsAnInvariant) {
  ParameterStore store = small_store();
  CallStream call;
  call.out = {{west_port(0), 0, {{Kind::parameter, 0, 0}}}};
  OneWafer wafer({&call}, small_training(), store);
  wafer.begin_step();
  wafer.reader.arrive(west_port(0), 0, 0, 1);
  for (const Port port : {west_port(0), east_port(1)}) try {
      wafer.reader.arrive(port, 0, 0, 2);
      ADD_FAILURE() << "taken";
    } catch (const sim::Error& error) {
      EXPECT_EQ(error.category(), sim::ErrorCategory::invariant);
    }
}

TEST(GradientReader, NamesTheEarliestWordThatIsMissing) {
  ParameterStore store = small_store();
  CallStream first, second;
  first.out = {{east_port(1), 0, {{Kind::discard, 0, 0}, {Kind::discard, 0, 0}}}};
  second.out = {{west_port(0), 0, {{Kind::discard, 0, 0}}}};
  OneWafer wafer({&first, &second}, small_training(), store);
  wafer.begin_step();
  wafer.reader.arrive(east_port(1), 0, 0, 1);
  const auto missing = wafer.reader.first_missing();
  ASSERT_TRUE(missing.has_value());
  EXPECT_EQ(missing->port, east_port(1));
  EXPECT_EQ(missing->call, 0);
  EXPECT_EQ(missing->word, 1u);
}

TEST(GradientCollector, RefusesTwoLossesAndTokensOutsideTheBatch) {
  ParameterStore store = small_store();
  CallStream losses, token;
  losses.out = {{west_port(0), 0, {{Kind::loss, 0, 0}, {Kind::loss, 0, 0}}}};
  token.out = {{west_port(0), 0, {{Kind::token_row, 0, 6}}}};
  EXPECT_THROW(GradientCollector({&losses}, small_training(), store), sim::Error);
  EXPECT_THROW(GradientCollector({&token}, small_training(), store), sim::Error);
}

TEST(GradientReader, KeepsTheOrderOfEachColorWhenALaterCallOvertakesOnAnother) {
  ParameterStore store = small_store();
  CallStream first, second;
  first.out = {{west_port(0), 3, {{Kind::parameter, 14, 0}, {Kind::parameter, 15, 0}}}};
  second.out = {{west_port(0), 7, {{Kind::parameter, 16, 0}}}};
  OneWafer wafer({&first, &second}, small_training(), store);
  wafer.begin_step();
  wafer.reader.arrive(west_port(0), 3, bits(14.0f), 1);
  wafer.reader.arrive(west_port(0), 7, bits(16.0f), 2);
  EXPECT_EQ(wafer.reader.first_missing()->color, 3);
  EXPECT_EQ(wafer.reader.first_missing()->word, 1u);
  wafer.reader.arrive(west_port(0), 3, bits(15.0f), 3);
  EXPECT_TRUE(wafer.collector.complete());
  for (const std::size_t element : {14u, 15u, 16u}) EXPECT_EQ(store.gradients()[element], static_cast<float>(element));
  EXPECT_THROW(wafer.reader.arrive(west_port(0), 5, 0, 4), sim::Error);
}

// Two systems of a sequence each: one word of the sum of both, each system's tokens in their places of the batch.
TEST(GradientCollector, TakesSumsOnceAndTheTokensOfEachSystem) {
  ParameterStore store = small_store();
  TrainingSpec training = small_training();
  training.systems = 2;
  CallStream call;
  call.out = {{west_port(0), 0, {{Kind::parameter, 14, 0}, {Kind::token_row, 0, 2}}}};
  GradientCollector collector({&call}, training, store);
  collector.begin_step();
  EXPECT_EQ(collector.expected_words(), 3u);
  collector.take({{Kind::token_row, 0, 2}, 5.0f, 0, 0, 1, 0}, 1);
  collector.take({{Kind::parameter, 14, 0}, 2.0f, 0, 0, all_systems, 0}, 2);
  EXPECT_FALSE(collector.complete());
  collector.take({{Kind::token_row, 0, 2}, 7.0f, 0, 0, 0, 0}, 3);
  EXPECT_TRUE(collector.complete());
  collector.scatter_tokens({0, 0, 1, 0, 0, 3});
  EXPECT_EQ(store.gradients()[2], 7.0f);  // token 2 of the batch has id 1
  EXPECT_EQ(store.gradients()[6], 5.0f);  // token 5, id 3
  EXPECT_EQ(store.gradients()[14], 2.0f);
}

}  // namespace
}  // namespace wafersim::memoryx
