#pragma once
// A run's trace while it grows, in the run directory: trace.part.PID.tmp, which nothing but this process needs and which goes with it; from
// the first checkpoint on a file that goes with the checkpoint and stays. A checkpoint names it, how long it was and its digest then: who
// goes on from there cuts it to that length. Two names take turns, so that a run that starts anew leaves the part of a checkpoint that is
// there alone until it has written one of its own. When the run is over its bytes become trace.json (run_directory.h).

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "sim/sha256.h"

namespace wafersim::tools {

class TraceFile {
 public:
  static constexpr const char* kept_names[] = {"checkpoint.trace-1", "checkpoint.trace-2"};

  struct Part {
    std::string file;  // in the run directory
    std::uint64_t bytes = 0;
    std::string sha256;  // of them
  };

  // Goes on from a checkpoint's part where there is one. Error(config) when its bytes are not those that were written, Error(output) when
  // none can be.
  TraceFile(const std::filesystem::path& directory, const std::optional<Part>& from);
  ~TraceFile();
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  // Error(output).
  void write(std::string_view bytes);
  // All bytes are on disk, under a name for a checkpoint; not under `taken`. Error(output).
  Part keep(const std::string& taken);
  // The checkpoint has been written: the file stays, the others go.
  void kept();

  const std::filesystem::path& path() const { return path_; }
  // Whether it goes with a checkpoint.
  bool stays() const { return stays_; }

 private:
  void open(const Part& from);
  [[noreturn]] void fail(const char* action) const;

  std::filesystem::path directory_, path_;
  bool stays_ = false;
  int descriptor_ = -1;
  std::uint64_t bytes_ = 0;
  sim::Sha256 sha256_;
};

}  // namespace wafersim::tools
