#include "tools/sweep/sweep_spec.h"

#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "sim/error.h"
#include "tests/support/files.h"
#include "tests/support/program.h"
#include "tools/sweep/sweep_point.h"

namespace wafersim::tools {
namespace {

using nlohmann::json;

std::vector<json> values_of(const json& axis) { return parse_axis("key", axis, "sweep.json: axes.key").values; }

json zipped(const char* one, const char* other) { return json::array({json::array({one, other})}); }

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::config);
    return error.what();
  }
  return "";
}

TEST(Axis, OfAListHasItsValuesAsTheyStand) {
  EXPECT_EQ(json(values_of(json::parse(R"(["10 GB/s", 2.5, true, {"preset": "gpt2"}])"))),
            json::parse(R"(["10 GB/s", 2.5, true, {"preset": "gpt2"}])"));
}

TEST(Axis, OfARangeWithAStepEndsAtOrBeforeItsEnd) {
  EXPECT_EQ(json(values_of({{"from", 1}, {"to", 9}, {"step", 3}})), json({1, 4, 7}));
  EXPECT_EQ(json(values_of({{"from", 0.0}, {"to", 0.3}, {"step", 0.1}})), json({0, 0.1, 0.2, 0.3}));
  EXPECT_EQ(json(values_of({{"from", 3}, {"to", 1}, {"step", -1}})), json({3, 2, 1}));
}

TEST(Axis, OfALogRangeHasEqualRatiosInTheBaseUnit) {
  EXPECT_EQ(json(values_of({{"from", "1 GB/s"}, {"to", "1 TB/s"}, {"count", 4}, {"scale", "log"}})),
            json({1000000000, 10000000000, 100000000000, 1000000000000}));
  EXPECT_EQ(json(values_of({{"from", 1}, {"to", 100}, {"count", 3}})), json({1, 51, 100}));
  EXPECT_EQ(json(values_of({{"from", "16 KiB"}, {"to", "64 KiB"}, {"count", 3}, {"scale", "log"}})), json({16384, 32768, 65536}));
}

TEST(Axis, BeyondWholeNumbersHasThoseOfFloatingPoint) {
  EXPECT_EQ(json(values_of({{"from", "1 PB"}, {"to", "100000000 PB"}, {"count", 2}})), json({1000000000000000, 1e23}));
}

TEST(Axis, ThatMakesNoValuesIsRefusedByItsName) {
  for (const auto& [axis, named] :
       std::vector<std::pair<json, std::string>>{{json::array(), "has no values"},
                                                 {json(3), "expected a list"},
                                                 {json({1, 2, 1}), "the value 1 is there twice"},
                                                 {{{"from", 1}, {"to", 9}}, "either step or count"},
                                                 {{{"from", 1}, {"to", 9}, {"step", 0}}, "step does not lead"},
                                                 {{{"from", 1}, {"to", 9}, {"step", -1}}, "step does not lead"},
                                                 {{{"from", 0}, {"to", 9}, {"count", 3}, {"scale", "log"}}, "above 0"},
                                                 {{{"from", "1 GHz"}, {"to", "2 GB/s"}, {"count", 3}}, "different units"},
                                                 {{{"from", 1}, {"to", 9}, {"count", 1}}, "count = 1"},
                                                 {{{"from", 1}, {"to", 3}, {"count", 9}}, "there twice"},
                                                 {{{"from", 1}, {"to", 9}, {"steps", 2}}, "nearest is step"}}) {
    const std::string error = error_of([&, &axis = axis] { values_of(axis); });
    EXPECT_TRUE(error.starts_with("sweep.json: axes.key: ")) << axis << error;
    EXPECT_NE(error.find(named), std::string::npos) << axis << error;
  }
}

class SweepFile : public testing::Test {
 protected:
  SweepSpec read(const json& change = json::object()) const {
    json sweep = {{"base", "main"}, {"axes", {{"training.batch", {1, 2, 4}}, {"training.sequence", {8, 16, 32}}, {"seed", {5, 6}}}}};
    sweep.update(change);
    const auto file = folder_ / "sweep.json";
    std::ofstream(file) << sweep;
    return read_sweep(file.string());
  }

  const tests::Folder folder_{"sweep_spec"};
};

TEST_F(SweepFile, MultipliesItsAxesTheLastOneTheFastest) {
  const std::vector<PointValues> points = sweep_points(read());
  ASSERT_EQ(points.size(), 18u);
  EXPECT_EQ(describe(points[0]), "seed = 5, training.batch = 1, training.sequence = 8");
  EXPECT_EQ(describe(points[1]), "seed = 5, training.batch = 1, training.sequence = 16");
  EXPECT_EQ(describe(points[17]), "seed = 6, training.batch = 4, training.sequence = 32");
}

TEST_F(SweepFile, TakesZippedAxesForwardTogether) {
  const std::vector<PointValues> points = sweep_points(read({{"zip", zipped("training.sequence", "training.batch")}}));
  ASSERT_EQ(points.size(), 6u);
  EXPECT_EQ(describe(points[1]), "seed = 5, training.batch = 2, training.sequence = 16");
}

TEST_F(SweepFile, KeepsThePointsThatMeetAllConditions) {
  const json conditions = {{"training.batch", "<", "seed"}, {"training.batch", "!=", 2}, {"training.sequence", ">=", 32}};
  const std::vector<PointValues> points = sweep_points(read({{"conditions", conditions}}));
  ASSERT_EQ(points.size(), 4u);
  EXPECT_EQ(describe(points[3]), "seed = 6, training.batch = 4, training.sequence = 32");
}

TEST_F(SweepFile, ThatIsWrongIsRefusedByFileKeyAndValue) {
  for (const auto& [change, named] : std::vector<std::pair<json, std::string>>{
           {{{"axis", 1}}, "axis = 1: unknown key of a sweep; the nearest is axes"},
           {{{"base", "mian"}}, "sweep.json: base: mian: no such file, nor a preset"},
           {{{"axes", json::object()}}, "axes: expected an object"},
           {{{"set", {{"seed", 1}}}}, "set.seed: is an axis, too"},
           {{{"zip", zipped("training.batch", "seed")}}, "training.batch has 3 values and seed has 2"},
           {{{"zip", zipped("training.bach", "seed")}}, "\"training.bach\" is no axis of the sweep; the nearest is training.batch"},
           {{{"conditions", {{"seed", "=", 5}}}}, "\"=\": expected one of =="},
           {{{"conditions", {{"seed", "<", nullptr}}}}, "only numbers have an order"},
           {{{"conditions", {{"seed", "!=", "six"}}}}, "\"six\" is neither a number nor an axis"},
           {{{"conditions", {{"seed", "!=", "training.bach"}}}}, "the nearest is training.batch"},
           {{{"axes", {{"io.bandwidth", {"1 GB/s"}}}}, {"conditions", {{"io.bandwidth", "<", "5 GHz"}}}}, "different units"},
           {{{"conditions", {{"seed", ">", 6}}}}, "no point meets them all"}}) {
    const std::string error = error_of([&, &change = change] { sweep_points(read(change)); });
    EXPECT_NE(error.find(named), std::string::npos) << change << "\n" << error;
  }
}

TEST_F(SweepFile, OfTheHelpTextIsOne) {
  const std::string help = tests::wafersim("sweep --help").out, title = "File of a sweep:\n";
  const std::size_t begin = help.find(title) + title.size();
  const std::string block = help.substr(begin, help.find("\n\n", begin) - begin);
  const auto file = folder_ / "sweep.json";
  std::ofstream(file) << std::regex_replace(block, std::regex(R"((\S) {3,}.*)"), "$1");  // without what is said of its lines
  EXPECT_EQ(sweep_points(read_sweep(file.string())).size(), 2U * 4U * 9U * 2U) << block;
}

TEST_F(SweepFile, GivesPointsTheConfigurationsThatSetWouldGive) {
  const std::vector<SweepPoint> points = make_points(read({{"set", {{"training", {{"steps", 7}}}}}}));
  EXPECT_EQ(json::parse(points[1].config)["training"]["steps"], 7);
  EXPECT_EQ(json::parse(points[1].config)["training"]["sequence"], 16);
  EXPECT_EQ(points[1].seed, 5u);
  EXPECT_EQ(points[1].digest.size(), 64u);
  EXPECT_NE(points[0].id, points[1].id);
  EXPECT_EQ(points[1].id, make_points(read())[1].id);
  EXPECT_NE(points[1].digest, make_points(read())[1].digest);
}

TEST_F(SweepFile, HasErrorsAtThePointsThatAreNoConfigurationsAndIsRefusedWhereNoneIsOne) {
  const std::vector<SweepPoint> points = make_points(read({{"axes", {{"training.batch", {4, 0}}}}}));
  EXPECT_TRUE(points[0].readable());
  EXPECT_EQ(points[1].exit_code, 2);
  EXPECT_NE(points[1].error.find("axes: training.batch = 0: expected"), std::string::npos) << points[1].error;
  const std::string error = error_of([&] { make_points(read({{"axes", {{"training.bach", {1, 2}}}}})); });
  EXPECT_NE(error.find("sweep.json: axes: training.bach = 1: unknown key"), std::string::npos) << error;
  EXPECT_NE(error.find("training.batch"), std::string::npos) << error;
}

}  // namespace
}  // namespace wafersim::tools
