// Figures of reports and traces, what differs between them, and goldens.

#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <sstream>

#include "sim/error.h"
#include "tools/compare/compare_sources.h"
#include "tools/compare/comparison_text.h"
#include "tools/compare/figures.h"
#include "tools/compare/golden.h"
#include "tools/compare/trace_figures.h"

namespace wafersim::compare {
namespace {

using nlohmann::json;

std::map<std::string, json> figures(const json& tree) {
  std::map<std::string, json> out;
  for (const Figure& figure : figures_of(name_rows(tree))) out[figure.key] = figure.value;
  return out;
}

// The keys that differ beyond their tolerance.
std::vector<std::string> moved(const json& a, const json& b, const std::vector<Tolerance>& tolerances = {}) {
  std::vector<std::string> keys;
  for (const Difference& d : compare(a, b, tolerances).differences)
    if (d.beyond) keys.push_back(d.key);
  return keys;
}

using Keys = std::vector<std::string>;

TEST(Figures, AreTheLeavesOfATreeByTheirPathsAndRowsByTheirNames) {
  const json report = {{"loss", {3.5, 3.25}},
                       {"breakdown",
                        {{{"layer", 0}, {"phase", "forward"}, {"kernel", "linear"}, {"cycles", 7}},
                         {{"layer", nullptr}, {"phase", ""}, {"kernel", "kernel_switch"}, {"cycles", 2}}}},
                       {"memory", {{"sram", {{{"name", "x of y"}, {"bytes", 1}}, {{"name", "x of y"}, {"bytes", 2}}}}}}};
  const auto found = figures(report);
  EXPECT_EQ(found.at("loss.1"), 3.25);
  EXPECT_EQ(found.at("breakdown.layer_0.forward.linear.cycles"), 7);
  EXPECT_EQ(found.at("breakdown.kernel_switch.cycles"), 2);
  EXPECT_EQ(found.at("memory.sram.x_of_y.bytes"), 1);
  EXPECT_EQ(found.at("memory.sram.x_of_y_2.bytes"), 2);
}

const std::string track = R"({"ph":"M","pid":0,"tid":3,"name":"thread_name","args":{"name":"wafer kernels"}})";

std::string slice(double begin, double length) {
  std::ostringstream text;
  text << R"({"ph":"X","pid":0,"tid":3,"name":"linear forward","ts":)" << begin << R"(,"dur":)" << length << R"(,"args":{"layer":1}})";
  return text.str();
}

json trace_of(const std::vector<std::string>& events) {
  std::string text;
  for (const std::string& event : events) text += (text.empty() ? "" : ",") + event;
  std::istringstream stream(R"({"otherData":{"ts":1},"traceEvents":[)" + text + "]}");
  return trace_figures(stream, "trace.json");
}

TEST(TraceFigures, CountAndAddUpTheSlicesOfATrackByLayerAndName) {
  const json found = trace_of({track, slice(10, 5), slice(20, 2)});
  const json& kernel = found["wafer_kernels"]["layer_1"]["linear_forward"];
  EXPECT_EQ(kernel["slices"], 2);
  EXPECT_EQ(kernel["microseconds"], 7);
  EXPECT_EQ(kernel["first"], 10);
  EXPECT_EQ(kernel["last"], 22);
}

TEST(TraceFigures, SeeASliceThatMovesBetweenTheOthers) {
  const json before = trace_of({track, slice(0, 2), slice(10, 2), slice(20, 2)});
  const json after = trace_of({track, slice(0, 2), slice(11, 2), slice(20, 2)});
  EXPECT_EQ(moved(before, after), Keys{"wafer_kernels.layer_1.linear_forward.digest"});
}

TEST(TraceFigures, KeepCountersAndTracksOfOneNameApart) {
  const std::string other = R"({"ph":"M","pid":1,"tid":3,"name":"thread_name","args":{"name":"wafer kernels"}})";
  const std::string far = R"({"ph":"X","pid":1,"tid":3,"name":"linear forward","ts":1,"dur":1})";
  const std::string counter = R"({"ph":"C","pid":0,"tid":3,"name":"queue","ts":1,"args":{"words":4}})";
  const json found = trace_of({track, other, slice(0, 2), far, counter});
  EXPECT_EQ(found["wafer_kernels"]["layer_1"]["linear_forward"]["slices"], 1);
  EXPECT_EQ(found["wafer_kernels_1"]["linear_forward"]["slices"], 1);
  EXPECT_EQ(found["wafer_kernels"]["queue"]["C"]["events"], 1);
}

TEST(TraceFigures, AreRefusedOfWhatIsNoTrace) {
  for (const char* text : {"", "{", "[]", "{}", R"({"traceEvents":[{"ph":7}]})"}) {
    std::istringstream stream(text);
    EXPECT_THROW(trace_figures(stream, "trace.json"), sim::Error) << text;
  }
}

TEST(Compare, FindsNothingInEqualsAndEveryFigureThatMoved) {
  const json a = {{"step", {{"cycles", 100}, {"bound_by", "compute"}}}, {"gone", 1}};
  EXPECT_TRUE(moved(a, a).empty());
  const json b = {{"step", {{"cycles", 101}, {"bound_by", "fabric"}}}, {"new", 1}};
  EXPECT_EQ(moved(a, b), (Keys{"gone", "step.bound_by", "step.cycles", "new"}));
}

TEST(Compare, IsExactWithoutATolerance) {
  const double loss = 3.5;
  EXPECT_EQ(moved({{"loss", loss}}, {{"loss", std::nextafter(loss, 4.0)}}), Keys{"loss"});
  EXPECT_TRUE(moved({{"cycles", 5}}, {{"cycles", 5.0}}).empty());
}

TEST(Compare, HoldsATolerancePrecisely) {
  const json a = {{"step", {{"cycles", 1000}}}};
  EXPECT_TRUE(moved(a, {{"step", {{"cycles", 999}}}}, {{"step", 1e-3}}).empty());
  EXPECT_EQ(moved(a, {{"step", {{"cycles", 998}}}}, {{"step", 1e-3}}), Keys{"step.cycles"});
  EXPECT_EQ(moved({{"bound_by", "compute"}}, {{"bound_by", "fabric"}}, {{"bound_by", 1}}), Keys{"bound_by"});
  EXPECT_EQ(moved({{"loss", 3.0}}, {{"loss", nullptr}}, {{"loss", 1}}), Keys{"loss"});
}

TEST(Compare, LetsTheLastToleranceThatNamesAFigureHold) {
  const json a = {{"x", {{"cycles", 100}, {"busy", 100}}}}, b = {{"x", {{"cycles", 101}, {"busy", 101}}}};
  EXPECT_EQ(moved(a, b, {{"x", 0.1}, {"x.cycles", 0}}), Keys{"x.cycles"});
  EXPECT_TRUE(moved(a, b, {{"x.cycles", 0}, {"x", 0.1}}).empty());
}

TEST(Compare, LeavesOutWhatDependsOnTheHost) {
  const json a = {{"host", {{"wall_seconds", 1}}}, {"provenance", {{"seed", 1}}}, {"version", "1"}, {"step", {{"host", {{"rss", 1}}}}}};
  const json b = {{"host", {{"wall_seconds", 2}}}, {"version", "2"}, {"step", {{"host", {{"rss", 2}}}}}};
  const Comparison comparison = compare(a, b, standard_tolerances());
  EXPECT_EQ(comparison.figures, 0u);
  EXPECT_TRUE(comparison.differences.empty());
}

TEST(Tolerances, NameAFigureAllBelowAKeyOrWhatAPatternFits) {
  EXPECT_TRUE(names("step", "step.cycles"));
  EXPECT_TRUE(names("step.cycles", "step.cycles"));
  EXPECT_FALSE(names("step", "steps"));
  EXPECT_FALSE(names("step.cycles", "step"));
  EXPECT_TRUE(names("breakdown.*.cycles", "breakdown.layer_0.forward.linear.cycles"));
  EXPECT_FALSE(names("breakdown.*.cycles", "breakdown.layer_0.forward.linear.busy"));
  EXPECT_TRUE(names("*", "loss.0"));
}

TEST(Tolerances, AreReadFromKeyAndNumber) {
  const Tolerance read = parse_tolerance("step.cycles=1e-3");
  EXPECT_EQ(read.key, "step.cycles");
  EXPECT_EQ(read.relative, 1e-3);
  for (const char* text : {"step", "=1", "step=", "step=x", "step=-1", "step=nan", "step=1x"})
    EXPECT_THROW(parse_tolerance(text), sim::Error) << text;
}

Source run(const json& report) { return {"a", Kind::run, {{"", name_rows(report)}}, nullptr}; }

TEST(CompareSources, RefusesAToleranceThatNamesNothingAndSaysWhatIsNear) {
  const Source a = run({{"step", {{"cycles", 1}}}});
  try {
    compare_sources(a, a, {{"step.cycels", 0.1}});
    FAIL() << "was not refused";
  } catch (const sim::Error& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean step.cycles?"), std::string::npos) << error.what();
  }
}

TEST(CompareSources, NamesThePointsOfASweepThatMovedCameOrWent) {
  const json same = {{"step", {{"cycles", 1}}}}, other = {{"step", {{"cycles", 2}}}};
  const Source a{"a", Kind::sweep, {{"batch=1", same}, {"batch=2", same}, {"batch=4", same}}, nullptr};
  const Source b{"b", Kind::sweep, {{"batch=1", same}, {"batch=2", other}, {"batch=8", same}}, nullptr};
  std::map<std::string, std::string> found;
  for (const Difference& d : compare_sources(a, b, {}).differences) found[d.point] = d.key;
  EXPECT_EQ(found, (std::map<std::string, std::string>{{"batch=2", "step.cycles"}, {"batch=4", "status"}, {"batch=8", "status"}}));
  EXPECT_THROW(compare_sources(a, run(same), {}), sim::Error);
}

const json report = {
    {"step", {{"cycles", 9}}},
    {"links", {{"in", {{"words", 4}}}}},
    {"breakdown",
     {{{"layer", 0}, {"phase", "forward"}, {"kernel", "linear"}, {"cycles", 9}, {"macs", 5}, {"stalls", {{"idle_wait", 0}, {"wait", 3}}}}}},
    {"digests", {{"w", "0123456789abcdef"}, {"w.grad", "fedcba9876543210"}, {"w.exp_avg", "00"}, {"w.exp_avg_sq", "11"}}}};

TEST(Golden, IsThatOfItsRunAndSeesWhatItKeepsAsDigests) {
  const Source golden{"g", Kind::golden, {{"", golden_of(name_rows(report))}}, nullptr};
  EXPECT_TRUE(compare_sources(golden, run(report), {}).differences.empty());
  const std::vector<std::pair<const char*, std::string>> changes = {
      {"/step/cycles", "step.cycles"},
      {"/links/in/words", "digest_of.links"},
      {"/breakdown/0/cycles", "breakdown.layer_0.forward.linear.cycles"},
      {"/breakdown/0/macs", "breakdown.layer_0.forward.linear.rest"},
      {"/breakdown/0/stalls/wait", "breakdown.layer_0.forward.linear.stalls.wait"},
      {"/breakdown/0/stalls/idle_wait", "breakdown.layer_0.forward.linear.stalls.idle_wait"}};
  for (const auto& [pointer, key] : changes) {
    json changed = report;
    changed[json::json_pointer(pointer)] = 77;
    const auto differences = compare_sources(golden, run(changed), {}).differences;
    ASSERT_EQ(differences.size(), 1u) << pointer;
    EXPECT_EQ(differences[0].key, key);
  }
  for (const auto& [tensor, key] : {std::pair{"w", "digests.w"}, {"w.grad", "digests.w"}, {"w.exp_avg_sq", "digests.moments"}}) {
    json changed = report;
    changed["digests"][tensor] = "77";
    const auto differences = compare_sources(golden, run(changed), {}).differences;
    ASSERT_EQ(differences.size(), 1u) << tensor;
    EXPECT_EQ(differences[0].key, key);
  }
}

TEST(Golden, IsReadBackFromItsText) {
  const json golden = {{"golden", 1}, {"figures", golden_of(name_rows(report))}};
  EXPECT_EQ(json::parse(golden_text(golden)), golden);
}

TEST(ComparisonText, SaysHowFarAFigureMovedAndHowManyMoreThereAre) {
  const Comparison comparison =
      compare({{"step", {{"cycles", 200}}}, {"loss", {1.0, 2.0}}}, {{"step", {{"cycles", 203}}}, {"loss", {1.0}}}, {});
  const std::string text = comparison_text(comparison, 1);
  EXPECT_NE(text.find("3 figures compared: 2 beyond their tolerance, 0 moved within it"), std::string::npos) << text;
  EXPECT_NE(text.find("+1.5 %  exact"), std::string::npos) << text;
  EXPECT_NE(text.find("gone (loss.1)"), std::string::npos) << text;
  EXPECT_NE(text.find("1 more (--rows 2)"), std::string::npos) << text;
  EXPECT_EQ(comparison_text(compare({{"x", 1}}, {{"x", 1}}, {}), 1), "1 figures compared: equal\n");
}

}  // namespace
}  // namespace wafersim::compare
