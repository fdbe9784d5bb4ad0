#include "tools/trainer/trace_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "sim/error.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;

}  // namespace

TraceFile::TraceFile(const fs::path& directory, const std::optional<Part>& from) : directory_(directory) {
  if (from) {
    open(*from);
    return;
  }
  path_ = directory_ / fmt::format("trace.part.{}.tmp", ::getpid());
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("cannot be written");
}

TraceFile::~TraceFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!stays_) ::unlink(path_.c_str());
}

void TraceFile::open(const Part& from) {
  path_ = directory_ / from.file;
  stays_ = true;
  std::ifstream file(path_, std::ios::binary);
  std::vector<char> buffer(1 << 20);
  while (bytes_ < from.bytes && file) {
    file.read(buffer.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(buffer.size(), from.bytes - bytes_)));
    sha256_.add({buffer.data(), static_cast<std::size_t>(file.gcount())});
    bytes_ += static_cast<std::uint64_t>(file.gcount());
  }
  const bool is_ours = std::find(std::begin(kept_names), std::end(kept_names), from.file) != std::end(kept_names);
  if (!is_ours || !fs::exists(path_) || bytes_ != from.bytes || sha256_.hex() != from.sha256)
    throw sim::Error(
        sim::ErrorCategory::config,
        fmt::format("{}: missing, cut short or changed: its bytes are not those that were written with checkpoint.bin; without "
                    "--resume the run starts again and replaces both",
                    path_.string()));
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor_ < 0 || ::ftruncate(descriptor_, static_cast<off_t>(bytes_)) != 0 ||
      ::lseek(descriptor_, 0, SEEK_END) != static_cast<off_t>(bytes_))
    fail("cannot be written");
}

void TraceFile::write(std::string_view bytes) {
  sha256_.add(bytes);
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot be written");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

TraceFile::Part TraceFile::keep(const std::string& taken) {
  if (::fsync(descriptor_) != 0) fail("cannot be flushed to disk");
  if (!stays_) {
    const fs::path name = directory_ / kept_names[taken == kept_names[0] ? 1 : 0];
    if (std::rename(path_.c_str(), name.c_str()) != 0) fail("cannot be put in place");
    path_ = name;
  }
  return {path_.filename(), bytes_, sha256_.hex()};
}

void TraceFile::kept() {
  stays_ = true;
  std::error_code ignored;
  for (const char* name : kept_names)
    if (path_.filename() != name) fs::remove(directory_ / name, ignored);
}

void TraceFile::fail(const char* action) const {
  throw sim::Error(sim::ErrorCategory::output, fmt::format("{}: {}: {}", path_.string(), action, std::strerror(errno)));
}

}  // namespace wafersim::tools
