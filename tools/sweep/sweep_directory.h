#pragma once
// Where a sweep leaves its results; several processes, also of several hosts, may work in one.
//   sweep.json            the points: {"version", "about", "axes" [], "points" [{"id", "point", "config_digest", "seed", ...}]}
//   configs/ID.json       a point's complete configuration, for `wafersim run`
//   points/ID.json        its result (point_result.h), there once it has ended
//   work/ID/              of a point that is being run
//   sweep.csv, sweep.sqlite, sweep.lock (of processes that write sweep.json and configs)

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/sweep/sweep_point.h"

namespace wafersim::tools {

// A lock on a file, which one process has at a time and until it ends, however it ends. A missing file is made. Error(output).
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept : path_(std::move(other.path_)), descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

  // operation: as of flock(). Whether it is had now; false only with LOCK_NB.
  bool take(int operation);

 private:
  std::filesystem::path path_;
  int descriptor_;
};

class SweepDirectory {
 public:
  // Makes the directory where it is missing. Error(config) when that or a file in it cannot be made, and when it holds other things than a
  // sweep.
  explicit SweepDirectory(const std::filesystem::path& directory);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config(const std::string& id) const { return path_ / "configs" / (id + ".json"); }
  std::filesystem::path result(const std::string& id) const { return path_ / "points" / (id + ".json"); }
  std::filesystem::path work(const std::string& id) const { return path_ / "work" / id; }

  // sweep.json and configs; a file that is as it should be stays untouched.
  void save(const std::string& about, const std::vector<SweepPoint>& points) const;
  // What save() has left; configurations' text included. Error(config) when there is none.
  std::vector<SweepPoint> load() const;

  // The point's result, of this version and configuration; nothing where there is none, or something else.
  std::optional<nlohmann::json> result_of(const SweepPoint& point) const;
  // Whether it has a result that running it again would not change: it ended well, could not run on the machine, or stalled.
  bool finished(const SweepPoint& point) const;

  // Nothing while another process has it. Of readable points that were saved.
  std::optional<FileLock> lock(const std::string& id) const;

 private:
  std::filesystem::path path_;
};

}  // namespace wafersim::tools
