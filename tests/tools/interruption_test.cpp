#include "tools/trainer/interruption.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

namespace wafersim::tools {
namespace {

constexpr auto long_enough_to_be_taken = std::chrono::milliseconds(100);

// In a process that ends with 0 when no signal has ended it.
void signal_beside_the_results(bool they_are_written) {
  {
    Interruption interruption;
    auto held = interruption.hold();
    ::kill(::getpid(), SIGTERM);
    std::this_thread::sleep_for(long_enough_to_be_taken);
    if (they_are_written) interruption.end();
    held.unlock();
    std::this_thread::sleep_for(long_enough_to_be_taken);
  }
  std::_Exit(0);
}

TEST(InterruptionDeathTest, EndsARunWithoutResultsAndLeavesOneThatHasThemAlone) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(signal_beside_the_results(false), testing::ExitedWithCode(128 + SIGTERM), "no result is written");
  EXPECT_EXIT(signal_beside_the_results(true), testing::ExitedWithCode(0), "^$");
}

}  // namespace
}  // namespace wafersim::tools
