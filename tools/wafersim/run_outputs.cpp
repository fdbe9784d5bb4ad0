#include "tools/wafersim/run_outputs.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/error.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;

// What a run starts from, which it says.
std::optional<Checkpoint> starting_point(const CheckpointFile& file, bool resume) {
  if (!resume) {
    if (fs::exists(file.path()))
      fmt::print(stderr, "{} of an earlier run goes when this one has ended (--resume would go on from it)\n", file.path().string());
    return std::nullopt;
  }
  std::optional<Checkpoint> checkpoint = file.read();
  if (checkpoint)
    fmt::print(stderr, "goes on after step {} from {}\n", checkpoint->steps, file.path().string());
  else
    fmt::print(stderr, "no {}: starts with the first step\n", file.path().string());
  return checkpoint;
}

void check_vcd_size(const std::string& path, std::uint64_t pes) {
  if (pes > static_cast<std::uint64_t>(MeshVcd::most_pes))
    throw sim::Error(
        sim::ErrorCategory::unsupported,
        fmt::format("--vcd {}: the run has {} PEs, a dump shows at most {}; choose a smaller mesh (fabric.width, fabric.height or "
                    "mapping.rectangle)",
                    path, pes, MeshVcd::most_pes));
}

}  // namespace

RunOutputs::RunOutputs(const RunOptions& options, const TraceOptions& shown, const PreparedRun& run, const RunDirectory& directory,
                       Interruption& interruption)
    : options_(options),
      shown_(shown),
      run_(run),
      directory_(directory),
      interruption_(interruption),
      checkpoint_(directory.path(), run, options.block, shown),
      from_(run.spec.numerics ? starting_point(checkpoint_, options.resume) : std::nullopt) {
  const auto held = interruption_.hold();
  const bool has_trace = shown.limit > 0;
  if (has_trace) trace_file_.emplace(directory.path(), from_ ? from_->trace : std::nullopt);
  if (!options.vcd.empty()) {
    check_vcd_size(options.vcd, run.pes());
    vcd_.emplace(options.vcd, run.spec.machine.core.clock);
  }
  interruption_.remove_when_interrupted(unfinished());
  if (has_trace) trace_.emplace(trace_plan(run), shown, [this](std::string_view bytes) { trace_file_->write(bytes); });
}

void RunOutputs::connect(EngineOptions& engine) {
  engine.from = std::move(from_);
  if (run_.spec.numerics) engine.keeper = this;
  if (trace_) engine.trace = &*trace_;
  if (!vcd_) return;
  engine.vcd = &vcd_->vcd();
  engine.vcd_first = shown_.first_step;
  engine.vcd_last = std::min(shown_.last_step, run_.spec.training.steps - 1);
}

void RunOutputs::end_trace(nlohmann::ordered_json& report) {
  if (!trace_) return;
  trace_->finish();
  report["trace_file"] = trace_->summary();
}

fs::path RunOutputs::trace_path() const { return trace_file_ ? trace_file_->path() : fs::path(); }

void RunOutputs::commit(const std::vector<RunDirectory::File>& files) {
  if (vcd_) vcd_->commit();
  directory_.write(files);
  checkpoint_.remove();
}

bool RunOutputs::wants(int steps) {
  return interruption_.asked() != 0 || (options_.checkpoint_every > 0 && steps % options_.checkpoint_every == 0);
}

void RunOutputs::keep(const Checkpoint& checkpoint) {
  const auto held = interruption_.hold();
  Checkpoint whole = checkpoint;
  if (trace_file_) whole.trace = trace_file_->keep(checkpoint_.trace_part());
  checkpoint_.write(whole);
  if (trace_file_) trace_file_->kept();
  interruption_.remove_when_interrupted(unfinished());
  if (const int signal = interruption_.asked(); signal != 0)
    throw Interrupted{signal,
                      fmt::format("ended by {} after step {}; {} holds it: the same command with --resume{} goes on", signal_name(signal),
                                  checkpoint.steps, checkpoint_.path().string(), vcd_ ? " and without --vcd" : "")};
}

// Files, then the directories that were made for them.
std::vector<fs::path> RunOutputs::unfinished() const {
  std::vector<fs::path> paths;
  if (vcd_) paths.push_back(vcd_->temporary());
  if (trace_file_ && !trace_file_->stays()) paths.push_back(trace_file_->path());
  paths.insert(paths.end(), directory_.made().begin(), directory_.made().end());
  return paths;
}

}  // namespace wafersim::tools
