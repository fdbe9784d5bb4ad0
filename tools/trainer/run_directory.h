#pragma once
// Where a run leaves its results: config.json, report.json, report.txt, steps.csv, trace.json, heatmap.csv. But for checkpoints and
// the part of a trace (trace_file.h) nothing is written before the run has ended well; then every file appears whole, over that of an
// earlier run in the same place.

#include <filesystem>
#include <string>
#include <vector>

namespace wafersim::tools {

class RunDirectory {
 public:
  struct File {
    std::string name;
    std::string bytes;
    std::filesystem::path source = {};  // where it is not empty, the bytes are those of this file
  };

  // Removes what a process that was killed while it wrote has left there. Makes the directory where it is missing, and finds out whether
  // files can be made in it and, where it is not empty, at `further_file`. Error(config) when not, or when it holds a config.json that is
  // not of a run.
  RunDirectory(const std::filesystem::path& directory, const std::filesystem::path& further_file);
  // Removes the directories that were made and hold nothing.
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::filesystem::path& path() const { return directory_; }
  // That the constructor made, the deepest first.
  const std::vector<std::filesystem::path>& made() const { return made_; }
  // All files have all their bytes on disk before the first one is put in its place. Error(output) when one cannot be written: then none
  // is. Results of an earlier run that this one does not have go.
  void write(const std::vector<File>& files) const;

 private:
  std::filesystem::path directory_;
  std::vector<std::filesystem::path> made_;
};

// Removes what a run has made, in order: files, and directories that are empty. Says nothing of what stays.
void remove_made(const std::vector<std::filesystem::path>& paths);

}  // namespace wafersim::tools
