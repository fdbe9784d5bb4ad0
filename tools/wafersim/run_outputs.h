#pragma once
// What a run writes while it goes on: its trace, which grows in the run directory, the dump of --vcd, and checkpoints. When the run has
// ended well they become results, or go. A signal that ends the run, and any error, removes what is half written; a checkpoint and its part
// of the trace stay.

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/trainer/checkpoint.h"
#include "tools/trainer/interruption.h"
#include "tools/trainer/run_directory.h"
#include "tools/trainer/trace.h"
#include "tools/trainer/trace_file.h"
#include "tools/trainer/trainer.h"
#include "tools/wafersim/run_options.h"
#include "tools/wafersim/vcd_file.h"

namespace wafersim::tools {

// Thrown when a checkpoint has been written because a signal asked for it.
struct Interrupted {
  int signal;
  std::string message;  // how the run goes on
};

class RunOutputs : public CheckpointKeeper {
 public:
  // Opens the files, and says what the run starts from. Errors: config for a checkpoint that is not of this run and for a dump's name,
  // unsupported for a mesh too large for a dump, output. All others must live as long as this.
  RunOutputs(const RunOptions& options, const TraceOptions& shown, const PreparedRun& run, const RunDirectory& directory,
             Interruption& interruption);

  // Once, before the run: where it starts, what it tells its steps to, who keeps its checkpoints.
  void connect(EngineOptions& engine);
  // After the last step. The report says how much the trace shows.
  void end_trace(nlohmann::ordered_json& report);
  // The finished trace; empty where there is none.
  std::filesystem::path trace_path() const;
  // Puts the dump and the run directory's files in their places; then the run is over and needs no checkpoint. REQUIRES
  // interruption.hold(). Error(output).
  void commit(const std::vector<RunDirectory::File>& files);

  void begin_steps() override { interruption_.finish_steps(true); }
  bool wants(int steps) override;
  void keep(const Checkpoint& checkpoint) override;
  void end_steps() override { interruption_.finish_steps(false); }

 private:
  std::vector<std::filesystem::path> unfinished() const;

  const RunOptions& options_;
  const TraceOptions shown_;
  const PreparedRun& run_;
  const RunDirectory& directory_;
  Interruption& interruption_;
  CheckpointFile checkpoint_;
  std::optional<Checkpoint> from_;
  std::optional<TraceFile> trace_file_;
  std::optional<VcdFile> vcd_;
  std::optional<Trace> trace_;
};

}  // namespace wafersim::tools
