#pragma once
// Processes of this program that a sweep starts, one a point. They end with the process that started them, however that ends.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace wafersim::tools {

struct ChildEnd {
  int exit_code = 0;  // 128 + signal where a signal ended it
  double wall_seconds = 0;
  double processor_seconds = 0;  // of user and system
  std::uint64_t peak_rss_bytes = 0;
};

class ChildProcess {
 public:
  // This program once more, as it is running, even if its file has been replaced since. command: its name and arguments. Standard output
  // goes nowhere, standard error to `errors`. Error(invariant) when no process can be made. REQUIRES one thread, the calling one, that
  // lives as long as the child.
  ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& errors);
  ChildProcess(ChildProcess&& other) noexcept : pid_(other.pid_), start_(other.start_) { other.pid_ = 0; }
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();  // kills it where it has not ended

  // Nothing while it runs; once, how it ended.
  std::optional<ChildEnd> ended();

 private:
  pid_t pid_;  // 0: ended
  std::chrono::steady_clock::time_point start_;
};

// Path of the program that is running.
std::filesystem::path own_program();

}  // namespace wafersim::tools
