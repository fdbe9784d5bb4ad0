#include "tools/trainer/run_directory.h"

#include <fstream>
#include <memory>
#include <set>
#include <system_error>

#include "sim/atomic_file.h"
#include "sim/error.h"
#include "tools/trainer/leftovers.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, const std::string& why) {
  throw sim::Error(sim::ErrorCategory::config, "--out " + path.string() + ": " + why);
}

const std::set<std::string> results = {"config.json", "report.json", "report.txt", "steps.csv", "trace.json", "heatmap.csv"};

// What a process that was killed while it wrote a result, a checkpoint or a trace has left.
void remove_unfinished(const fs::path& directory) {
  remove_leftovers(directory,
                   [](const std::string& name) { return results.contains(name) || name == "checkpoint.bin" || name == "trace.part"; });
}

void copy(const fs::path& source, sim::AtomicFile& to) {
  std::ifstream file(source, std::ios::binary);
  std::vector<char> buffer(1 << 20);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0)
    to.write(buffer.data(), static_cast<std::size_t>(file.gcount()));
  if (!file.eof()) throw sim::Error(sim::ErrorCategory::output, source.string() + ": cannot be read");
}

}  // namespace

void remove_made(const std::vector<fs::path>& paths) {
  std::error_code ignored;
  for (const fs::path& path : paths) fs::remove(path, ignored);
}

RunDirectory::RunDirectory(const fs::path& directory, const fs::path& further_file) : directory_(directory) {
  std::error_code code;
  fs::path missing = fs::absolute(directory).lexically_normal();
  if (!missing.has_filename()) missing = missing.parent_path();  // of "runs/main/"
  std::vector<fs::path> to_make;
  for (; !fs::exists(missing, code) && missing.has_relative_path(); missing = missing.parent_path()) to_make.push_back(missing);
  for (auto deepest_last = to_make.rbegin(); deepest_last != to_make.rend(); ++deepest_last) {
    if (!fs::create_directory(*deepest_last, code)) {
      remove_made(made_);
      refuse(directory, "cannot be made: " + (code ? code.message() : "something else has just taken its name"));
    }
    made_.insert(made_.begin(), *deepest_last);
  }
  try {
    if (!fs::is_directory(directory, code)) refuse(directory, "is not a directory");
    if (fs::exists(directory / "config.json", code) && !fs::exists(directory / "report.json", code))
      refuse(directory, "holds a config.json but no report.json: not the directory of a run; choose another");
    remove_unfinished(directory);
    const sim::AtomicFile trial(directory / "report.json", sim::ErrorCategory::config);
    if (!further_file.empty()) const sim::AtomicFile further(further_file, sim::ErrorCategory::config);
  } catch (...) {
    remove_made(made_);
    throw;
  }
}

RunDirectory::~RunDirectory() { remove_made(made_); }

void RunDirectory::write(const std::vector<File>& files) const {
  std::vector<std::unique_ptr<sim::AtomicFile>> open;
  for (const File& file : files) {
    open.push_back(std::make_unique<sim::AtomicFile>(directory_ / file.name));
    if (file.source.empty())
      open.back()->write(file.bytes);
    else
      copy(file.source, *open.back());
  }
  // config.json, the first, comes last: it says that the others are there.
  for (auto file = open.rbegin(); file != open.rend(); ++file) (*file)->commit();
  std::set<std::string> gone = results;
  for (const File& file : files) gone.erase(file.name);
  std::error_code ignored;
  for (const std::string& name : gone) fs::remove(directory_ / name, ignored);
}

}  // namespace wafersim::tools
