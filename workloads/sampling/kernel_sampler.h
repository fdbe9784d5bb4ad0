#pragma once
// The time of every kernel call of a step on a mesh of any size (design, section 8): each kind of op runs alone, with its own programs and
// the same tile, on a few small meshes whose edges always have words and room, and is extended to the whole one; or, where that costs
// little more than samples do, on the whole mesh. No time is written down.

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "models/core_state.h"
#include "models/machine.h"
#include "workloads/autodiff.h"
#include "workloads/call_outline.h"
#include "workloads/kernels/lower.h"
#include "workloads/sampling/sample_cache.h"
#include "workloads/sampling/sampled_op.h"

namespace wafersim::workloads {

struct KernelTime {
  double period = 0;  // cycles from the first PE's start to the first PE's start of the next call: with the kernel switch after it
  double active = 0;  // to the last PE's completion
  std::array<double, models::activities> share{};  // of the PEs' cycles in a period, by models::Activity; they add up to 1
  double macs = 0;                                 // of all PEs, as models::CallRecord counts them
  double hops = 0;                                 // of all wavelets
};

// What the samples of one kind of op were.
struct SampleReport {
  enum class Source { sampled, disk, memory };
  std::string op;   // its signature
  std::string key;  // sample_key
  Source source = Source::sampled;
  std::vector<SampleMesh> meshes;
  double residual = 0;        // sampled_op.h
  std::string cache_failure;  // why the samples are not on disk; empty when they are
};

// Costs are PEs times cycles by the closed forms. Samples that cost more reach less far: half a second. An op that costs no more on its own
// mesh is timed there: two seconds, of meshes up to a few thousand PEs.
constexpr double most_sample_cycles = 1.2e7, most_whole_cycles = 5e7;

class KernelSampler {
 public:
  // cache: a directory (sample_cache.h), empty for none. threads >= 1 sample at the same time; times do not depend on them.
  // An op that costs up to whole_cycles on its own mesh is timed there and not extended.
  KernelSampler(models::MachineSpec machine, std::filesystem::path cache, int threads, double whole_cycles = most_whole_cycles)
      : machine_(std::move(machine)), cache_(std::move(cache)), threads_(threads), whole_cycles_(whole_cycles) {}

  // By call, in the order of outline_calls(spec, graph). Throws Error(plan) when a PE's SRAM cannot hold an op alone.
  std::vector<KernelTime> times(const LoweringSpec& spec, const TrainingGraph& graph);
  // Of the last times(), in the order of the ops' first appearance.
  const std::vector<SampleReport>& reports() const { return reports_; }

 private:
  struct OpClass;

  OpClass make_class(const LoweringSpec& spec, const TrainingGraph& graph, std::size_t op) const;
  SampleSet samples_of(const OpClass& op, int scale) const;
  double cost_of(const OpClass& op) const;
  void measure(const std::vector<OpClass*>& classes, const TrainingGraph& graph) const;
  bool load(OpClass& op) const;
  void sample(std::vector<OpClass>& classes, const TrainingGraph& graph);

  models::MachineSpec machine_;
  SampleCache cache_;
  int threads_;
  double whole_cycles_;
  std::map<std::string, SampledOp> memory_;  // by key
  std::vector<SampleReport> reports_;
};

}  // namespace wafersim::workloads
