#pragma once
// Files that processes have left half written, NAME.PID.tmp (sim/atomic_file.h, trace_file.h), because they were killed.

#include <filesystem>
#include <functional>
#include <string>

namespace wafersim::tools {

// Removes those of the directory whose NAME is ours, whose process is none of this host's, and that no FileHold holds.
void remove_leftovers(const std::filesystem::path& directory, const std::function<bool(const std::string& name)>& ours);

// An existing file that its process holds until it ends, however it ends: to other hosts and containers, which cannot see the process, it
// is no leftover. Where files cannot be locked, or another holds it, it is not held.
class FileHold {
 public:
  explicit FileHold(const std::filesystem::path& path);
  ~FileHold();
  FileHold(const FileHold&) = delete;
  FileHold& operator=(const FileHold&) = delete;

  // Whether another process holds it.
  bool is_taken() const { return taken_; }

 private:
  int descriptor_;
  bool taken_;
};

}  // namespace wafersim::tools
