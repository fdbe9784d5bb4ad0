// Traces of steps made by hand: what is on them, how long they get, and that they go on where they were.

#include "tools/trainer/trace.h"

#include <array>
#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/vector.hpp>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/error.h"
#include "tools/trainer/trace_counters.h"

namespace wafersim::tools {
namespace {

using nlohmann::json;

TracePlan small_plan(int steps) {
  TracePlan plan;
  plan.calls = {{"linear", "forward", 0, {}, 0, {0}, {}}, {"linear", "weight_gradient", 0, {}, 0, {}, {0}}};
  plan.clock = 1e6;
  plan.peak_macs = 2;
  plan.steps = steps;
  plan.link_channels = 1;
  plan.link_rate = 4e6;
  plan.systems = {"system"};
  plan.tensors = {{"h.0.weight", 0}};
  plan.flows = {{0, 1, "h.0.weight"}};
  return plan;
}

// A step of 100 cycles; its update reaches 10 cycles into the next.
models::StepResult step_at(int number) {
  const auto first = static_cast<fabric::Cycle>(100 * number);
  models::StepResult s;
  s.first = first;
  s.gradients = first + 90;
  s.at_rest = s.last = first + 100;
  s.updates = {{0, first + 90, first + 110}};
  s.store.updates = {{number, 0, first + 92, first + 110}};
  models::CallRecord forward, gradient;
  forward.first_start = first + 10, forward.last_done = first + 40, forward.macs = 30;
  gradient.first_start = first + 50, gradient.last_done = first + 80;
  s.statistics.calls = {forward, gradient};
  s.statistics.in_spans = {{{0, first, first + 20, 5}}, {}};
  s.statistics.out_spans = {{}, {{1, first + 60, first + 90, 6}}};
  return s;
}

struct Written {
  std::string text;
  json summary;
  json events() const { return json::parse(text)["traceEvents"]; }
  // Of a track; all where it is empty.
  std::vector<json> slices(const std::string& track = "") const {
    std::map<int, std::string> tracks;
    std::vector<json> found;
    for (const json& event : events()) {
      if (event["ph"] == "M" && event["name"] == "thread_name") tracks[event["tid"]] = event["args"]["name"];
      if (event["ph"] == "X" && (track.empty() || tracks.at(event["tid"]) == track)) found.push_back(event);
    }
    return found;
  }
};

Written write(int steps, const TraceOptions& options = {}) {
  Written written;
  Trace trace(small_plan(steps), options, [&](std::string_view more) { written.text += more; });
  for (int s = 0; s < steps; ++s) trace.add(step_at(s));
  trace.finish();
  written.summary = trace.summary();
  EXPECT_EQ(written.summary, json::parse(written.text)["otherData"]);
  return written;
}

TEST(Trace, HasATrackForEachSerialResourceInMicroseconds) {
  const Written written = write(2);
  const std::vector<json> kernels = written.slices("wafer kernels");
  ASSERT_EQ(kernels.size(), 8u);
  EXPECT_EQ(kernels[0]["name"], "step 0");
  EXPECT_EQ(kernels[0]["dur"], 100);
  EXPECT_EQ(kernels[1]["name"], "layer 0");
  EXPECT_EQ(kernels[1]["ts"], 10);
  EXPECT_EQ(kernels[1]["dur"], 70);
  EXPECT_EQ(kernels[2]["name"], "linear forward");
  EXPECT_EQ(kernels[2]["ts"], 10);
  EXPECT_EQ(kernels[2]["dur"], 30);
  EXPECT_EQ(written.slices("link in, west")[1]["ts"], 100);
  EXPECT_EQ(written.slices("link in, west")[1]["args"]["words"], 5);
  EXPECT_EQ(written.slices("link out, east")[0]["dur"], 30);
  EXPECT_EQ(written.slices("optimizer")[0]["name"], "update");
  EXPECT_EQ(written.slices("optimizer")[0]["dur"], 20);
  EXPECT_EQ(written.slices("optimizer")[1]["name"], "h.0.weight");
  EXPECT_EQ(written.slices("optimizer")[1]["dur"], 18);
}

TEST(Trace, CountsRatesAndUtilisationFromWhatTheSlicesSay) {
  std::map<std::string, std::vector<std::pair<double, double>>> counters;
  for (const json& event : write(1).events())
    if (event["ph"] == "C") counters[event["name"]].emplace_back(event["ts"], event["args"].begin().value());
  using Values = std::vector<std::pair<double, double>>;
  EXPECT_EQ(counters["link in"], (Values{{0, 1e6}, {20, 0}}));
  EXPECT_EQ(counters["link out"], (Values{{60, 0.8e6}, {90, 0}}));
  EXPECT_EQ(counters["wafer utilisation"], (Values{{10, 0.5}, {40, 0}, {50, 0}, {80, 0}}));
}

TEST(Trace, LeadsAFlowFromWeightsToTheirGradient) {
  std::vector<json> flow;
  for (const json& event : write(1).events())
    if (event.contains("id")) flow.push_back(event);
  ASSERT_EQ(flow.size(), 4u);
  const char* phases[] = {"s", "t", "t", "f"};
  const double times[] = {0, 10, 50, 60};
  for (std::size_t k = 0; k < 4; ++k) {
    EXPECT_EQ(flow[k]["ph"], phases[k]);
    EXPECT_EQ(flow[k]["ts"], times[k]);
    EXPECT_EQ(flow[k]["args"]["tensor"], "h.0.weight");
    EXPECT_EQ(flow[k]["id"], flow[0]["id"]);
  }
}

TEST(Trace, PutsWhatOverlapsOnLanes) {
  models::StepResult step = step_at(0);
  step.statistics.in_spans = {{{0, 0, 30, 5}}, {{1, 20, 50, 5}}, {}, {}};  // two channels an edge
  step.statistics.out_spans = {{}, {}, {}, {}};
  Written written;
  Trace trace(small_plan(1), {}, [&](std::string_view more) { written.text += more; });
  trace.add(step);
  trace.finish();
  ASSERT_EQ(written.slices("link in, west").size(), 1u);
  ASSERT_EQ(written.slices("link in, west, lane 2").size(), 1u);
  EXPECT_EQ(written.slices("link in, west, lane 2")[0]["ts"], 20);
}

TEST(Trace, IsNotLongerThanItsLimitAndKeepsTheFirstAndTheLastSteps) {
  const int steps = 1000;
  TraceOptions options;
  options.limit = 100'000;
  const Written written = write(steps, options);
  EXPECT_LE(written.text.size(), options.limit);
  EXPECT_GT(written.text.size(), options.limit * 9 / 10);
  EXPECT_TRUE(written.summary["cut"]);
  std::set<int> shown;
  for (const json& slice : written.slices()) shown.insert(slice["args"]["step"].get<int>());
  EXPECT_EQ(shown.count(0), 1u);
  EXPECT_EQ(shown.count(steps - 1), 1u);
  EXPECT_EQ(written.summary["steps_left_out"].get<std::size_t>() + shown.size(), static_cast<std::size_t>(steps));
  EXPECT_EQ(*std::next(shown.rbegin()), static_cast<int>(shown.size()) - 2);  // those between are the first ones
}

TEST(Trace, ShowsTheStepsAndLayersThatWereAskedFor) {
  for (const json& slice : write(5, parse_trace_options("1:2", "", "")).slices())
    EXPECT_TRUE(slice["args"]["step"] == 1 || slice["args"]["step"] == 2) << slice;
  for (const json& slice : write(2, parse_trace_options("", "none", "")).slices())
    EXPECT_TRUE(slice["name"] == "update" || slice["name"].get<std::string>().starts_with("step")) << slice;
}

TEST(Trace, GoesOnFromItsStateWithTheSameBytes) {
  const int steps = 6;
  TraceOptions options;
  options.limit = 20'000;
  std::string bytes;
  std::stringstream state;
  const auto sink = [&](std::string_view more) { bytes += more; };
  {
    Trace before(small_plan(steps), options, sink);
    for (int s = 0; s < 3; ++s) before.add(step_at(s));
    cereal::PortableBinaryOutputArchive archive(state);
    archive(before);
  }
  Trace after(small_plan(steps), options, sink);
  cereal::PortableBinaryInputArchive archive(state);
  archive(after);
  for (int s = 3; s < steps; ++s) after.add(step_at(s));
  after.finish();
  EXPECT_EQ(bytes, write(steps, options).text);
}

TEST(TraceOptions, AreReadAsTheyAreWritten) {
  for (const char* window : {"", "2:5", "2:", "3:3"}) EXPECT_EQ(window_text(parse_trace_options(window, "", "")), window);
  for (const char* layers : {"", "0-3,7,none", "none"}) EXPECT_EQ(layers_text(parse_trace_options("", layers, "")), layers);
  EXPECT_EQ(parse_trace_options("", "", "2 MiB").limit, 2u << 20);
  EXPECT_EQ(parse_trace_options("", "", "123456").limit, 123456u);
  EXPECT_EQ(parse_trace_options("", "-1", ""), parse_trace_options("", "none", ""));
  EXPECT_FALSE(parse_trace_options("", "0-3,7", "").shows_layer(-1));
  EXPECT_FALSE(parse_trace_options("", "0-3,7", "").shows_layer(4));
  EXPECT_TRUE(parse_trace_options("", "0-3,7", "").shows_layer(7));
}

TEST(TraceOptions, ThatMakeNoSenseAreRefused) {
  for (const char* window : {"5:2", "a", "1:2:3", "-1"}) EXPECT_THROW(parse_trace_options(window, "", ""), sim::Error) << window;
  for (const char* layers : {",", "1,", "3-1", "all", "-2"}) EXPECT_THROW(parse_trace_options("", layers, ""), sim::Error) << layers;
  for (const char* limit : {"0", "1 kB", "8 megabytes", "-1", "8 MB/s"})
    EXPECT_THROW(parse_trace_options("", "", limit), sim::Error) << limit;
}

TEST(TraceCounters, SumWhatGoesOnAtTheSameTime) {
  const std::vector<CallValue> sums = sums_of({{0, 10, 30, 1}, {1, 20, 40, 2}, {2, 40, 50, 4}});
  const std::vector<std::pair<std::uint64_t, double>> expected = {{10, 1}, {20, 3}, {30, 2}, {40, 4}, {50, 0}};
  ASSERT_EQ(sums.size(), expected.size());
  for (std::size_t k = 0; k < sums.size(); ++k) EXPECT_EQ(std::pair(sums[k].cycle, sums[k].value), expected[k]);
}

TEST(TraceCounters, PutOffWhatIsMoreThanGoesOnAtOnce) {
  // 4 too many from 20 to 24, of which 3 go on until 30 and the rest in the pause behind it; 2 too many at the end.
  const std::vector<CallRate> carried = at_most(3, {{0, 10, 24, 2}, {1, 20, 30, 2}, {2, 24, 27, 1}, {3, 40, 42, 4}});
  const std::vector<std::array<std::uint64_t, 4>> expected = {{0, 10, 20, 2}, {1, 20, 24, 3}, {2, 24, 27, 3}, {2, 27, 30, 3},
                                                              {1, 30, 31, 1}, {3, 40, 42, 3}, {3, 42, 43, 2}};
  ASSERT_EQ(carried.size(), expected.size());
  for (std::size_t k = 0; k < carried.size(); ++k) {
    const auto& [call, begin, end, rate] = expected[k];
    EXPECT_EQ(carried[k].call, static_cast<int>(call));
    EXPECT_EQ(std::pair(carried[k].begin, carried[k].end), std::pair(begin, end));
    EXPECT_EQ(carried[k].rate, static_cast<std::int64_t>(rate));
  }
}

TEST(TraceCounters, TellTheDepthOfTheBufferWhereACallsLastBlockComesOrGoes) {
  const std::vector<CallValue> depths =
      depths_of({{0, 0, 1, 1}, {0, 0, 2, 1}, {0, 1, 3, 1}, {0, 0, 4, -1}, {0, 0, 5, -1}, {0, 1, 5, -1}}, 2);
  const std::vector<std::pair<std::uint64_t, double>> expected = {{2, 2}, {3, 3}, {5, 0}};
  ASSERT_EQ(depths.size(), expected.size());
  for (std::size_t k = 0; k < depths.size(); ++k) EXPECT_EQ(std::pair(depths[k].cycle, depths[k].value), expected[k]);
}

}  // namespace
}  // namespace wafersim::tools
