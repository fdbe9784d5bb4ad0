#include "tools/trainer/leftovers.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <regex>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;

bool is_of_this_host(int process) { return ::kill(process, 0) == 0 || errno != ESRCH; }

}  // namespace

void remove_leftovers(const fs::path& directory, const std::function<bool(const std::string& name)>& ours) {
  static const std::regex half_written(R"((.*)\.(\d{1,9})\.tmp)");
  std::error_code ignored;
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
    std::smatch parts;
    const std::string name = entry.path().filename();
    if (std::regex_match(name, parts, half_written) && ours(parts[1]) && !is_of_this_host(std::stoi(parts[2])))
      files.push_back(entry.path());
  }
  for (const fs::path& file : files)
    if (const FileHold hold(file); !hold.is_taken()) fs::remove(file, ignored);
}

FileHold::FileHold(const fs::path& path) : descriptor_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  taken_ = descriptor_ >= 0 && ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

FileHold::~FileHold() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace wafersim::tools
