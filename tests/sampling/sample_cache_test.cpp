// Samples on disk: found again, ignored when they are not what was stored, safe to share.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/small_model.h"
#include "workloads/sampling/kernel_sampler.h"

namespace wafersim::tests {
namespace {

using workloads::KernelSampler;
using Source = workloads::SampleReport::Source;

class SampleCacheTest : public testing::Test {
 protected:
  SampleCacheTest() { std::filesystem::remove_all(directory_); }
  ~SampleCacheTest() override { std::filesystem::remove_all(directory_); }

  std::vector<workloads::KernelTime> times(KernelSampler& sampler) const { return sampler.times(experiment_.lowering, experiment_.graph); }
  KernelSampler sampler() const { return {experiment_.machine, directory_, 1}; }
  static bool all(const KernelSampler& sampler, Source source) {
    for (const workloads::SampleReport& report : sampler.reports())
      if (report.source != source) return false;
    return !sampler.reports().empty();
  }
  static void expect_equal(const std::vector<workloads::KernelTime>& a, const std::vector<workloads::KernelTime>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t k = 0; k < a.size(); ++k) {
      EXPECT_EQ(a[k].period, b[k].period);
      EXPECT_EQ(a[k].active, b[k].active);
      EXPECT_EQ(a[k].share, b[k].share);
      EXPECT_EQ(a[k].macs, b[k].macs);
      EXPECT_EQ(a[k].hops, b[k].hops);
    }
  }
  std::filesystem::path first_file() const { return std::filesystem::directory_iterator(directory_)->path(); }
  std::size_t files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_)) ++count;
    return count;
  }

  std::filesystem::path directory_ = std::filesystem::path(testing::TempDir()) / ("sample_cache_" + std::to_string(getpid()));
  Experiment experiment_ = make_experiment(SmallModel{});
};

TEST_F(SampleCacheTest, AHitGivesTheTimesOfAMiss) {
  KernelSampler cold = sampler();
  const auto sampled = times(cold);
  EXPECT_TRUE(all(cold, Source::sampled));
  KernelSampler warm = sampler();
  expect_equal(sampled, times(warm));
  EXPECT_TRUE(all(warm, Source::disk));
  expect_equal(sampled, times(warm));
  EXPECT_TRUE(all(warm, Source::memory));
}

TEST_F(SampleCacheTest, AnEntryThatIsCorruptTruncatedOrOfAnotherKeyIsIgnoredAndWrittenAgain) {
  KernelSampler cold = sampler();
  const auto sampled = times(cold);
  const std::filesystem::path file = first_file();
  std::string whole;
  std::getline(std::ifstream(file), whole);
  const auto other_digit = [&whole](const std::string& key) {
    std::string other = whole;
    char& digit = other[whole.find(key) + key.size()];
    digit = digit == '9' ? '8' : '9';
    return other;
  };
  std::string foreign = whole;
  foreign[whole.find("\"key\":\"") + 7] ^= 1;
  for (const std::string& broken : {std::string(), std::string("[]"), whole.substr(0, whole.size() / 2), other_digit("\"period\":"),
                                    other_digit("\"scale\":"), foreign}) {
    std::ofstream(file) << broken;
    KernelSampler again = sampler();
    expect_equal(sampled, times(again));
    std::size_t missed = 0;
    for (const workloads::SampleReport& report : again.reports()) missed += report.source == Source::sampled;
    EXPECT_EQ(missed, 1u) << broken.substr(0, 40);
    std::string rewritten;
    std::getline(std::ifstream(file), rewritten);
    EXPECT_EQ(rewritten, whole);
  }
}

TEST_F(SampleCacheTest, ProcessesMayFillItAtTheSameTime) {
  std::vector<pid_t> writers;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      KernelSampler one = sampler();
      times(one);
      _exit(one.reports().empty() ? 1 : 0);
    }
    writers.push_back(child);
  }
  for (const pid_t writer : writers) {
    int status = 0;
    ASSERT_EQ(waitpid(writer, &status, 0), writer);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  KernelSampler after = sampler();
  times(after);
  EXPECT_TRUE(all(after, Source::disk));
  EXPECT_LE(files(), after.reports().size());  // no temporary is left
}

TEST_F(SampleCacheTest, ADirectoryThatCannotBeWrittenIsReportedAndNothingElse) {
  KernelSampler nowhere(experiment_.machine, "/proc/nowhere", 1), without(experiment_.machine, {}, 1);
  expect_equal(times(nowhere), times(without));
  EXPECT_FALSE(nowhere.reports().front().cache_failure.empty());
  EXPECT_TRUE(without.reports().front().cache_failure.empty());
}

TEST_F(SampleCacheTest, AChangedConstantOfTheMachineIsAnotherKeyAndAChangedClockIsNot) {
  KernelSampler cold = sampler();
  times(cold);
  experiment_.machine.core.clock *= 2;
  KernelSampler faster = sampler();
  times(faster);
  EXPECT_TRUE(all(faster, Source::disk));
  experiment_.machine.fabric.hop_cycles = 2;
  KernelSampler slower = sampler();
  times(slower);
  EXPECT_TRUE(all(slower, Source::sampled));
}

}  // namespace
}  // namespace wafersim::tests
