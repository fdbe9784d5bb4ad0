#pragma once
// A file that appears whole or not at all: bytes go to PATH.<process id>.tmp, commit() renames it to PATH, and without commit() nothing is
// left. A symbolic link is followed. A device or pipe cannot be renamed over, so it is written directly. Any failure (no directory, no
// permission, disk full) is an Error of the category given to the constructor, naming path and reason.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "sim/error.h"

namespace wafersim::sim {

class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path, ErrorCategory category = ErrorCategory::output);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, std::size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();
  // Where its bytes are until then.
  const std::filesystem::path& temporary() const { return temporary_; }

 private:
  [[noreturn]] void fail(const char* action) const;
  void discard();

  std::filesystem::path path_;
  std::filesystem::path temporary_;  // equal to path_ when written directly
  ErrorCategory category_;
  int descriptor_ = -1;
};

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes, ErrorCategory category = ErrorCategory::output);

}  // namespace wafersim::sim
