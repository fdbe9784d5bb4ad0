#pragma once
// Where a run stands after some of its steps: what goes on from there, in another process, gives the bytes of a run that was never stopped.
// A file: a line of JSON (what made it, how many steps, how many bytes follow, their SHA-256; the same of what there is of the trace, in a
// file beside it), then those bytes.

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "tools/trainer/prepared_run.h"
#include "tools/trainer/trace_file.h"
#include "tools/trainer/trace_options.h"

namespace wafersim::tools {

struct Checkpoint {
  int steps = 0;                              // done
  std::string state;                          // engine's own bytes
  std::optional<TraceFile::Part> trace = {};  // where the run writes its trace step by step
};

// Who looks after a run's checkpoints; asked between its steps.
class CheckpointKeeper {
 public:
  virtual ~CheckpointKeeper() = default;
  virtual void begin_steps() = 0;  // from now on wants() is asked after each step but the last
  virtual bool wants(int steps) = 0;
  virtual void keep(const Checkpoint& checkpoint) = 0;
  virtual void end_steps() = 0;  // the last one is done
};

class CheckpointFile {
 public:
  // The checkpoint.bin of a run directory. block: PEs of a SystemC module, in which a wavelet run's state is cut. trace: what the trace
  // shows.
  CheckpointFile(const std::filesystem::path& directory, const PreparedRun& run, const std::string& block, const TraceOptions& trace);

  const std::filesystem::path& path() const { return path_; }
  // Whole, over the one before. Error(output).
  void write(const Checkpoint& checkpoint) const;
  // Nothing when there is none. Error(config) when it is cut short, changed, or of another version, configuration, data or block: the
  // message says which.
  std::optional<Checkpoint> read() const;
  // The name of the trace's part that it goes with; empty when there is none.
  std::string trace_part() const;
  // Removes it, and parts of traces.
  void remove() const;

 private:
  std::filesystem::path path_;
  std::string identity_, provenance_;  // JSON
};

}  // namespace wafersim::tools
