#include <gtest/gtest.h>
#include <string>

#include "fabric/route.h"
#include "sim/error.h"

namespace wafersim::fabric {
namespace {

std::string refusal(const RouteMap& routes) {
  try {
    check_routes(routes);
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::plan);
    return error.what();
  }
  return "";
}

// Clockwise around four PEs; `cut` ends it in the core of the last.
RouteMap square(bool cut) {
  RouteMap routes(2, 2);
  routes.add({0, 0}, 3, cut ? mask(ramp) : mask(south), mask(east));
  routes.add({1, 0}, 3, mask(west), mask(south));
  routes.add({1, 1}, 3, mask(north), mask(west));
  routes.add({0, 1}, 3, mask(east), cut ? mask(ramp) : mask(north));
  return routes;
}

TEST(RouteCheck, RefusesALoopInsideRoutersAndPrintsIt) {
  const std::string text = refusal(square(false));
  EXPECT_NE(text.find("color 3 runs in a loop"), std::string::npos) << text;
  for (const char* pe : {"(0, 0)", "(1, 0)", "(1, 1)", "(0, 1)"}) EXPECT_NE(text.find(pe), std::string::npos) << text;
}

TEST(RouteCheck, AcceptsARingThatPassesThroughACore) { EXPECT_EQ(refusal(square(true)), ""); }

TEST(RouteCheck, FindsALoopThatOnlySwitchPositionsTogetherClose) {
  RouteMap routes(2, 1);
  routes.set({0, 0}, 0, {{{{mask(ramp), mask(east)}, {mask(east), mask(ramp)}}}, 2, false});
  routes.set({1, 0}, 0, {{{{mask(west), mask(ramp)}, {mask(ramp), mask(west)}}}, 2, false});
  EXPECT_NE(refusal(routes).find("loop"), std::string::npos);
}

TEST(RouteCheck, RefusesAnOutputIntoANeighbourThatDoesNotListen) {
  RouteMap routes(2, 1);
  routes.add({0, 0}, 1, mask(ramp), mask(east));
  routes.add({1, 0}, 1, mask(east), mask(ramp));
  const std::string text = refusal(routes);
  EXPECT_NE(text.find("into PE (1, 0), whose route does not listen to the west"), std::string::npos) << text;
}

TEST(RouteCheck, AcceptsSwitchPositionsWithSeveralInputs) {
  RouteMap routes(2, 1);
  routes.add({0, 0}, 1, mask(ramp), mask(east));
  routes.set({1, 0}, 1, {{{{mask(west), mask(east)}, {mask(west, ramp), mask(east)}}}, 2, false});
  EXPECT_EQ(refusal(routes), "");
}

TEST(RouteCheck, RefusesALeaveToTheNorthButNotToTheEast) {
  RouteMap routes(1, 1);
  routes.add({0, 0}, 1, mask(ramp), mask(east));
  EXPECT_EQ(refusal(routes), "");
  routes.add({0, 0}, 1, 0, mask(north));
  EXPECT_NE(refusal(routes).find("leaves the mesh to the north at PE (0, 0)"), std::string::npos);
}

TEST(RouteMap, RefusesRoutesAndFiltersOfNoPeOrColor) {
  RouteMap routes(2, 1);
  EXPECT_THROW(routes.set({2, 0}, 0, {}), sim::Error);
  EXPECT_THROW(routes.add({0, 1}, 0, mask(west), mask(ramp)), sim::Error);
  EXPECT_THROW(routes.add({0, 0}, RouteMap::max_colors, mask(west), mask(ramp)), sim::Error);
  EXPECT_THROW(routes.set_filter({-1, 0}, 0, {1, 0, 1}), sim::Error);
  EXPECT_THROW(routes.set_filter({0, 0}, 0, {0, 0, 1}), sim::Error) << "no period";
}

TEST(RouteMap, KeepsTheLastFilterOfAPlace) {
  RouteMap routes(2, 1);
  routes.set_filter({1, 0}, 4, {5, 0, 1});
  routes.set_filter({1, 0}, 4, {7, 2, 3});
  ASSERT_NE(routes.filter({1, 0}, 4), nullptr);
  EXPECT_EQ(routes.filter({1, 0}, 4)->period, 7u);
  EXPECT_EQ(routes.filter({0, 0}, 4), nullptr);
}

}  // namespace
}  // namespace wafersim::fabric
