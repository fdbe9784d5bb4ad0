#include "tools/wafersim/vcd_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include "sim/error.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;

// FILE of FILE.PID.tmp, links followed; "" where bytes go to a device itself.
std::string name_of(const fs::path& temporary) {
  const std::string name = temporary.filename(), end = fmt::format(".{}.tmp", ::getpid());
  return name.ends_with(end) ? name.substr(0, name.size() - end.size()) : "";
}

}  // namespace

VcdFile::VcdFile(const fs::path& path, double clock) : vcd_(clock, [this](std::string_view text) { file_->write(text); }) {
  { const sim::AtomicFile trial(path, sim::ErrorCategory::config); }  // a wrong name is bad input, a full disk later is not
  file_.emplace(path);
  const std::string name = name_of(temporary());
  if (name.empty()) return;
  hold_.emplace(temporary());
  remove_leftovers(temporary().parent_path().empty() ? "." : temporary().parent_path(),
                   [&](const std::string& left) { return left == name; });
}

}  // namespace wafersim::tools
