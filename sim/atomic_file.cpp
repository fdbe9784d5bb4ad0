#include "sim/atomic_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>

namespace wafersim::sim {
namespace {

constexpr int most_links = 40;  // as the kernel

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& path, ErrorCategory category) : path_(path), category_(category) {
  std::error_code code;
  for (int links = 0; links < most_links && std::filesystem::is_symlink(path_, code); ++links) {
    path_ = path_.parent_path() / std::filesystem::read_symlink(path_, code);
  }
  if (std::filesystem::is_symlink(path_, code)) {
    errno = ELOOP;
    fail("cannot be written");
  }
  const auto status = std::filesystem::status(path_, code);
  const bool direct = std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
  temporary_ = path_;
  if (!direct) temporary_ += fmt::format(".{}.tmp", ::getpid());
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("cannot be written");
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::write(const void* bytes, std::size_t count) {
  const char* at = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(descriptor_, at, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      discard();
      errno = reason;
      fail("cannot be written");
    }
    at += written;
    count -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) {  // pipes and devices have nothing to flush
    const int reason = errno;
    discard();
    errno = reason;
    fail("cannot be flushed to disk");
  }
  const int descriptor = descriptor_;
  descriptor_ = -1;
  const bool closed = ::close(descriptor) == 0;
  if (!closed || (temporary_ != path_ && std::rename(temporary_.c_str(), path_.c_str()) != 0)) {
    const int reason = errno;
    if (temporary_ != path_) ::unlink(temporary_.c_str());
    errno = reason;
    fail(closed ? "cannot be put in place" : "cannot be closed");
  }
}

void AtomicFile::discard() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  descriptor_ = -1;
  if (temporary_ != path_) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* action) const { throw Error(category_, path_.string() + ": " + action + ": " + std::strerror(errno)); }

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes, ErrorCategory category) {
  AtomicFile file(path, category);
  file.write(bytes);
  file.commit();
}

}  // namespace wafersim::sim
