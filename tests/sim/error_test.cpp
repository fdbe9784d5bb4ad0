#include "sim/error.h"

#include <gtest/gtest.h>

namespace wafersim::sim {
namespace {

TEST(Error, HasTheExitCodeOfItsCategory) {
  EXPECT_EQ(exit_code(ErrorCategory::config), 2);
  EXPECT_EQ(exit_code(ErrorCategory::unsupported), 2);
  EXPECT_EQ(exit_code(ErrorCategory::not_public), 2);
  EXPECT_EQ(exit_code(ErrorCategory::plan), 3);
  EXPECT_EQ(exit_code(ErrorCategory::stall), 4);
  EXPECT_EQ(exit_code(ErrorCategory::invariant), 5);
  EXPECT_EQ(exit_code(ErrorCategory::output), 6);
}

TEST(Error, NamesABrokenInvariant) {
  EXPECT_NO_THROW(require_invariant(true, "holds"));
  try {
    require_invariant(false, "bytes are conserved");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::invariant);
    EXPECT_STREQ(error.what(), "invariant broken: bytes are conserved");
  }
}

}  // namespace
}  // namespace wafersim::sim
