#include <gtest/gtest.h>

#include "sim/config/nearest.h"

namespace wafersim::sim {
namespace {

const std::vector<std::string> keys = {"training.batch", "training.optimizer.lr", "training.steps", "fabric.width", "fabric.height"};

TEST(Nearest, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("wdith", "width"), 1u);
  EXPECT_EQ(edit_distance("same", "same"), 0u);
}

TEST(Nearest, FindsTheKeyThatWasMisspelled) {
  EXPECT_EQ(nearest("training.bacth", keys), "training.batch");
  EXPECT_EQ(nearest("fabric.hieght", keys), "fabric.height");
  EXPECT_EQ(nearest("steps", keys), "training.steps");
  EXPECT_EQ(nearest("lr", keys), "training.optimizer.lr");
  EXPECT_EQ(nearest("machine.width", keys), "fabric.width");
}

TEST(Nearest, FindsNothingWhereNothingIsNear) {
  EXPECT_EQ(nearest("colour", keys), "");
  EXPECT_EQ(nearest("", keys), "");
  EXPECT_EQ(nearest(std::string(100000, 'x'), keys), "");
  EXPECT_EQ(nearest("batch", {}), "");
}

}  // namespace
}  // namespace wafersim::sim
