#include "workloads/kernels/wafer_routes.h"

#include <bit>
#include <gtest/gtest.h>

#include "workloads/kernels/colors.h"

namespace wafersim::workloads {
namespace {

TEST(WaferRoutes, PathsOfSumsNeverMeetInARouter) {
  for (const int lanes : {1, 2, 3, 4})
    for (int columns = 1; columns <= 6; ++columns)
      for (const int rows : {columns, columns + 1, 2 * columns, 17}) {
        Layout layout;
        layout.lanes = lanes;
        layout.columns = layout.heads = columns;
        layout.rows = rows;
        const fabric::RouteMap routes = wafer_routes(layout, 1);
        for (const fabric::Color color : {color_z0, color_z1, color_z2, color_z3})
          for (int y = 0; y < rows; ++y)
            for (int x = 0; x < lanes * columns; ++x) {
              const fabric::RoutePosition at = routes.get({x, y}, color).position[0];
              EXPECT_LE(std::popcount(at.in), 1) << x << ", " << y << " of " << lanes << " x " << columns << " x " << rows;
              EXPECT_EQ(std::popcount(at.in), std::popcount(at.out))
                  << x << ", " << y << " of " << lanes << " x " << columns << " x " << rows;
            }
      }
}

TEST(WaferRoutes, ASumOfAnyColumnHasTheSameWayToTheNextLane) {
  Layout layout;
  layout.lanes = 2;
  layout.columns = layout.heads = 5;
  layout.rows = 7;
  const fabric::RouteMap routes = wafer_routes(layout, 1);
  for (int c = 0; c < layout.columns; ++c) {
    fabric::Coord at{c, layout.rows - 1};
    int hops = 0;
    for (fabric::DirectionMask out = routes.get(at, color_z0).position[0].out; out != fabric::mask(fabric::ramp);
         out = routes.get(at, color_z0).position[0].out) {
      ASSERT_EQ(std::popcount(out), 1);
      for (const fabric::Direction d : fabric::links)
        if (out & fabric::mask(d)) at = fabric::neighbour(at, d);
      ++hops;
    }
    EXPECT_EQ(at, (fabric::Coord{c + layout.columns, 0}));
    EXPECT_EQ(hops, layout.rows - 1 + layout.columns);
  }
}

}  // namespace
}  // namespace wafersim::workloads
