#include "tools/sweep/child_process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "sim/error.h"

namespace wafersim::tools {
namespace {

constexpr int cannot_execute = 127;
constexpr const char* running_program = "/proc/self/exe";  // the file itself, whatever has become of its name

// After fork, in the child: only what is safe there.
[[noreturn]] void become(char* const* arguments, const char* errors, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(cannot_execute);  // it has ended before it could be followed
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int err = ::open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0666), nothing = ::open("/dev/null", O_RDWR);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(nothing, STDOUT_FILENO);
  ::dup2(err < 0 ? nothing : err, STDERR_FILENO);
  ::execv(running_program, arguments);
  ::_exit(cannot_execute);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& errors)
    : pid_(0), start_(std::chrono::steady_clock::now()) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string errors_path = errors.string();
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(arguments.data(), errors_path.c_str(), parent);
  if (child < 0) throw sim::Error(sim::ErrorCategory::invariant, fmt::format("no process can be made: {}", std::strerror(errno)));
  pid_ = child;
}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(start_, other.start_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<ChildEnd> ChildProcess::ended() {
  int status = 0;
  rusage usage{};
  if (::wait4(pid_, &status, WNOHANG, &usage) != pid_) return {};
  pid_ = 0;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start_;
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
  return ChildEnd{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), wall.count(),
                  seconds(usage.ru_utime) + seconds(usage.ru_stime),
                  static_cast<std::uint64_t>(usage.ru_maxrss) * 1024};  // Linux counts in KiB
}

std::filesystem::path own_program() { return std::filesystem::read_symlink(running_program); }

}  // namespace wafersim::tools
