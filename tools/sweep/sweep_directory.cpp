#include "tools/sweep/sweep_directory.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include "sim/atomic_file.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "tools/trainer/provenance.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int stalled = 4, cannot_run = 3;  // exit codes

[[noreturn]] void refuse(const fs::path& path, const std::string& why) {
  throw sim::Error(sim::ErrorCategory::config, "--out " + path.string() + ": " + why);
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A directory without sweep.json and with something that no sweep, killed early, has made.
bool holds_others(const fs::path& directory) {
  std::error_code code;
  if (fs::exists(directory / "sweep.json", code)) return false;
  for (const auto& entry : fs::directory_iterator(directory, code)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("sweep.") && name != "points" && name != "configs" && name != "work") return true;
  }
  return false;
}

// Configurations are locked by processes that run them: one that need not change must remain the same file.
void write_if_different(const fs::path& path, const std::string& text) {
  if (text_of(path) != text) sim::write_file_atomically(path, text);
}

}  // namespace

FileLock::FileLock(const fs::path& path) : path_(path), descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0)
    throw sim::Error(sim::ErrorCategory::output, fmt::format("{}: cannot be opened: {}", path.string(), std::strerror(errno)));
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool FileLock::take(int operation) {
  while (::flock(descriptor_, operation) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR)
      throw sim::Error(sim::ErrorCategory::output, fmt::format("{}: cannot be locked: {}", path_.string(), std::strerror(errno)));
  }
  return true;
}

SweepDirectory::SweepDirectory(const fs::path& directory) : path_(fs::absolute(directory)) {
  std::error_code code;
  if (fs::exists(path_, code) && !fs::is_directory(path_, code)) refuse(directory, "is not a directory");
  if (holds_others(path_)) refuse(directory, "holds files but no sweep.json: not the directory of a sweep; choose another");
  for (const char* part : {"", "points", "configs", "work"}) {
    fs::create_directories(path_ / part, code);
    if (code) refuse(directory, "cannot be made: " + code.message());
  }
  const sim::AtomicFile trial(path_ / "sweep.json", sim::ErrorCategory::config);
}

void SweepDirectory::save(const std::string& about, const std::vector<SweepPoint>& points) const {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array(), axes = nlohmann::ordered_json::array();
  for (const auto& [key, value] : points.front().values) axes.push_back(key);
  for (const SweepPoint& point : points) {
    rows.push_back({{"id", point.id}, {"point", point.values}, {"config_digest", point.digest}, {"seed", point.seed}});
    if (!point.readable()) rows.back().update({{"exit_code", point.exit_code}, {"error", point.error}});
  }
  const nlohmann::ordered_json all = {{"version", version()}, {"about", about}, {"axes", axes}, {"points", rows}};
  FileLock saving(path_ / "sweep.lock");
  saving.take(LOCK_EX);
  write_if_different(path_ / "sweep.json", all.dump(2) + "\n");
  for (const SweepPoint& point : points)
    if (point.readable()) write_if_different(config(point.id), point.config);
}

std::vector<SweepPoint> SweepDirectory::load() const {
  std::vector<SweepPoint> points;
  try {
    const json all = json::parse(text_of(path_ / "sweep.json"));
    for (const json& row : all.at("points")) {
      SweepPoint point{row.at("id"),          row.at("point"), "", row.at("config_digest"), row.at("seed"), row.value("exit_code", 0),
                       row.value("error", "")};
      if (point.exit_code == 0) point.config = text_of(config(point.id));
      points.push_back(std::move(point));
    }
  } catch (const json::exception&) {
    throw sim::Error(sim::ErrorCategory::config,
                     (path_ / "sweep.json").string() + ": not what wafersim sweep SWEEP --out DIR writes; run that first");
  }
  return points;
}

std::optional<json> SweepDirectory::result_of(const SweepPoint& point) const {
  json read = json::parse(text_of(result(point.id)), nullptr, false);
  const auto part = [](const json& whole, const char* key) { return whole.is_object() ? whole.value(key, json()) : json(); };
  const json provenance = part(read, "provenance"), figures = part(read, "figures");
  const bool whole = part(read, "status").is_string() && part(read, "error").is_string() && part(read, "exit_code").is_number_integer() &&
                     (figures.is_object() || figures.is_null());
  if (!whole || part(provenance, "version") != version() || part(provenance, "config_digest") != point.digest) return {};
  return read;
}

bool SweepDirectory::finished(const SweepPoint& point) const {
  const std::optional<json> read = result_of(point);
  const int code = read ? read->value("exit_code", -1) : -1;
  return code == 0 || code == cannot_run || code == stalled;
}

std::optional<FileLock> SweepDirectory::lock(const std::string& id) const {
  FileLock lock(config(id));
  if (lock.take(LOCK_EX | LOCK_NB)) return lock;
  return {};
}

}  // namespace wafersim::tools
