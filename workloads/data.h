#pragma once
// Training data and the public batch order. Text is tokenized as bytes. Token files: nanoGPT's (raw little-endian uint16) or llm.c's (a
// header of 256 int32: magic 20240520, version 1, number of tokens, zeros; then uint16), told apart by the magic number. Errors: category
// config, naming the file.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace wafersim::workloads {

class Tokens {
 public:
  // `bytes` holds tokens of bytes_per_token (1 or 2, little-endian) from byte `offset` on.
  Tokens(std::string source, std::vector<std::uint8_t> bytes, int bytes_per_token, std::size_t offset = 0);

  std::uint64_t size() const { return count_; }
  std::uint32_t operator[](std::uint64_t index) const {
    const std::uint8_t* at = bytes_.data() + offset_ + index * bytes_per_token_;
    return bytes_per_token_ == 1 ? at[0] : static_cast<std::uint32_t>(at[0] | at[1] << 8);
  }
  const std::string& source() const { return source_; }

 private:
  std::string source_;
  std::vector<std::uint8_t> bytes_;
  std::size_t bytes_per_token_;
  std::size_t offset_;
  std::uint64_t count_;
};

Tokens read_text(const std::filesystem::path& path);
Tokens read_token_file(const std::filesystem::path& path);

// Every token below `vocabulary`, and at least sequence + 2 of them, so that a batch can start somewhere.
void check_tokens(const Tokens& tokens, int vocabulary, int sequence);

// [sample * sequence + position]
struct Batch {
  std::vector<std::uint32_t> inputs;
  std::vector<std::uint32_t> targets;  // the token that follows each input
};
// Sample b of step s starts at token ((s * batch + b) * sequence) mod (n - sequence - 1). Needs tokens that check_tokens accepts.
Batch make_batch(const Tokens& tokens, std::uint64_t step, int batch, int sequence);

}  // namespace wafersim::workloads
