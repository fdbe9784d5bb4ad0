#include "workloads/data.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

#include "sim/error.h"

namespace wafersim::workloads {
namespace {

class DataTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  const std::filesystem::path& write(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    return path_;
  }
  static std::string llmc(std::uint32_t magic, std::uint32_t version, std::uint32_t count, const std::string& tokens) {
    std::string out;
    for (const std::uint32_t word : {magic, version, count}) {
      for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(word >> shift);
    }
    out.resize(1024, '\0');
    return out + tokens;
  }
  std::string failure(const std::string& bytes) {
    try {
      read_token_file(write(bytes));
    } catch (const sim::Error& error) {
      EXPECT_EQ(error.category(), sim::ErrorCategory::config);
      return error.what();
    }
    return "";
  }

  std::filesystem::path path_ = std::filesystem::temp_directory_path() / ("wafersim_data_" + std::to_string(::getpid()));
};

TEST_F(DataTest, ReadsTextAsBytes) {
  const Tokens tokens = read_text(write("Az\xc3\xa9"));
  ASSERT_EQ(tokens.size(), 4u);
  EXPECT_EQ(tokens[0], 65u);
  EXPECT_EQ(tokens[2], 0xc3u);
}

TEST_F(DataTest, ReadsNanoGptAndLlmcTokens) {
  const std::string raw("\x01\x00\x50\xc4\xff\xff", 6);
  for (const std::string& bytes : {raw, llmc(20240520, 1, 3, raw)}) {
    const Tokens tokens = read_token_file(write(bytes));
    ASSERT_EQ(tokens.size(), 3u);
    EXPECT_EQ(tokens[0], 1u);
    EXPECT_EQ(tokens[1], 50256u);
    EXPECT_EQ(tokens[2], 65535u);
  }
}

TEST_F(DataTest, RefusesDamagedTokenFiles) {
  EXPECT_NE(failure("abc").find("half a token"), std::string::npos);
  EXPECT_NE(failure(llmc(20240520, 2, 1, "ab")).find("version 2"), std::string::npos);
  EXPECT_NE(failure(llmc(20240520, 1, 2, "ab")).find("says 2 tokens, the file holds 1"), std::string::npos);
  EXPECT_NE(failure(llmc(20240520, 1, 0xffffffff, "ab")).find("says -1 tokens"), std::string::npos);
  EXPECT_NE(failure(llmc(20240520, 1, 1, "ab").substr(0, 500)).find("cut off"), std::string::npos);
  EXPECT_NE(failure(llmc(20240801, 7, 1, "abcd")).find("32 bits"), std::string::npos);
  EXPECT_THROW(read_text("/nonexistent"), sim::Error);
  EXPECT_THROW(read_text("/"), sim::Error);
}

TEST_F(DataTest, RefusesTextShorterThanASequenceNeedsAndTokensBeyondTheVocabulary) {
  const Tokens tokens = read_text(write("0123456789"));
  EXPECT_NO_THROW(check_tokens(tokens, 58, 8));
  EXPECT_THROW(check_tokens(tokens, 58, 9), sim::Error) << "a start needs sequence + 2 tokens";
  try {
    check_tokens(tokens, 57, 8);
    FAIL();
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.what(),
              path_.string() + ": token 57 at position 9 is beyond the vocabulary of 57: give other data or a larger vocab_size");
  }
}

TEST_F(DataTest, FollowsThePublicBatchOrder) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += static_cast<char>(i);
  const Tokens tokens = read_text(write(text));
  const int batch = 3, sequence = 8;
  for (std::uint64_t step = 0; step < 50; ++step) {
    const Batch now = make_batch(tokens, step, batch, sequence);
    ASSERT_EQ(now.inputs.size(), 24u);
    for (std::uint64_t b = 0; b < 3; ++b) {
      const std::uint64_t start = (step * 3 + b) * 8 % (100 - 8 - 1);
      for (std::uint64_t i = 0; i < 8; ++i) {
        EXPECT_EQ(now.inputs[b * 8 + i], start + i);
        EXPECT_EQ(now.targets[b * 8 + i], start + i + 1);
      }
    }
  }
  EXPECT_NO_THROW(make_batch(tokens, 1'000'000'000'000'000'000u, batch, sequence)) << "no start lies outside, however late the step";
  EXPECT_EQ(make_batch(read_text(write("0123456789")), 5, 1, 8).inputs[0], static_cast<std::uint32_t>('0')) << "one possible start";
}

}  // namespace
}  // namespace wafersim::workloads
