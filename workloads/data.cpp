#include "workloads/data.h"

#include <fmt/format.h>
#include <fstream>
#include <system_error>

#include "sim/error.h"

namespace wafersim::workloads {
namespace {

constexpr std::size_t header_bytes = 1024;
constexpr std::int32_t llmc_magic = 20240520;
constexpr std::int32_t llmc_version = 1;
constexpr std::int32_t llmc_uint32_magic = 20240801;  // Llama 3 token files

[[noreturn]] void fail(const std::string& source, const std::string& what) {
  throw sim::Error(sim::ErrorCategory::config, source + ": " + what);
}

std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) fail(path.string(), "no such file");
  if (!std::filesystem::is_regular_file(status)) fail(path.string(), "not a regular file");
  const std::uintmax_t size = std::filesystem::file_size(path, code);
  if (code) fail(path.string(), "cannot be read: " + code.message());
  std::vector<std::uint8_t> bytes(size);
  std::ifstream file(path, std::ios::binary);
  if (!file || !file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()))) {
    fail(path.string(), "cannot be read");
  }
  return bytes;
}

std::int32_t word(const std::vector<std::uint8_t>& bytes, std::size_t index) {
  std::uint32_t out = 0;
  for (int i = 3; i >= 0; --i) out = out << 8 | bytes[4 * index + static_cast<std::size_t>(i)];
  return static_cast<std::int32_t>(out);
}

}  // namespace

Tokens::Tokens(std::string source, std::vector<std::uint8_t> bytes, int bytes_per_token, std::size_t offset)
    : source_(std::move(source)),
      bytes_(std::move(bytes)),
      bytes_per_token_(static_cast<std::size_t>(bytes_per_token)),
      offset_(offset),
      count_((bytes_.size() - offset) / bytes_per_token_) {
  if ((bytes_.size() - offset_) % bytes_per_token_ != 0) fail(source_, "holds half a token at its end: not uint16 tokens, or truncated");
}

Tokens read_text(const std::filesystem::path& path) { return Tokens(path.string(), read_bytes(path), 1); }

Tokens read_token_file(const std::filesystem::path& path) {
  std::vector<std::uint8_t> bytes = read_bytes(path);
  const std::string source = path.string();
  const std::int32_t magic = bytes.size() < 4 ? 0 : word(bytes, 0);
  if (magic == llmc_uint32_magic)
    fail(source, "llm.c tokens of 32 bits (magic 20240801) are not supported; those of 16 bits (20240520) are");
  if (magic != llmc_magic) return Tokens(source, std::move(bytes), 2);
  if (bytes.size() < header_bytes) fail(source, "llm.c header is cut off: the file has less than 1024 bytes");
  if (word(bytes, 1) != llmc_version) fail(source, fmt::format("llm.c version {}; version 1 is read", word(bytes, 1)));
  const std::int32_t count = word(bytes, 2);
  Tokens tokens(source, std::move(bytes), 2, header_bytes);
  if (count < 0 || tokens.size() != static_cast<std::uint64_t>(count)) {
    fail(source, fmt::format("llm.c header says {} tokens, the file holds {}", count, tokens.size()));
  }
  return tokens;
}

void check_tokens(const Tokens& tokens, int vocabulary, int sequence) {
  const std::uint64_t least = static_cast<std::uint64_t>(sequence) + 2;
  if (tokens.size() < least) {
    fail(tokens.source(), fmt::format("{} tokens; a sequence of {} needs at least {}: give a longer text or a shorter training.sequence",
                                      tokens.size(), sequence, least));
  }
  for (std::uint64_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] >= static_cast<std::uint32_t>(vocabulary)) {
      fail(tokens.source(), fmt::format("token {} at position {} is beyond the vocabulary of {}: give other data or a larger vocab_size",
                                        tokens[i], i, vocabulary));
    }
  }
}

Batch make_batch(const Tokens& tokens, std::uint64_t step, int batch, int sequence) {
  sim::require_invariant(tokens.size() >= static_cast<std::uint64_t>(sequence) + 2, "a batch is taken from at least sequence + 2 tokens");
  const std::uint64_t length = static_cast<std::uint64_t>(sequence);
  const std::uint64_t starts = tokens.size() - length - 1;
  Batch out;
  for (int b = 0; b < batch; ++b) {
    const std::uint64_t sample = step * static_cast<std::uint64_t>(batch) + static_cast<std::uint64_t>(b);
    const std::uint64_t start = sample % starts * length % starts;
    for (std::uint64_t i = 0; i < length; ++i) {
      out.inputs.push_back(tokens[start + i]);
      out.targets.push_back(tokens[start + i + 1]);
    }
  }
  return out;
}

}  // namespace wafersim::workloads
