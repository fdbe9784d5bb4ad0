#pragma once
// Where the cycles of a step go: by kernel, layer and phase, and what lies between the kernels.
//
// A kernel call runs from the first PE that starts it to the last one that finishes it; calls do not overlap. The rest of a step are three
// rows without a layer or phase:
//   stream_in       before the first call: its start is on its way
//   kernel_switch   between calls
//   gradient_drain  after the last call, until the last gradient is in MemoryX and the wafer at rest
// The updates of a run's last step, which no step hides, are no part of this.
// A kernel that waits for weights, because the link is slow or their update is not done, counts that among its own cycles.
// The rows' cycles add up to the step's. What a PE does from its start of a call to its completion is the call's, what it does from there
// to its start of the next one the switch's, even while others still work on the call. Idle time is the call's too, but what exceeds the
// call's own cycles times PEs belongs to the rows between the calls. All rows together: PE cycles = cycles times PEs.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/sampled_system.h"
#include "models/system.h"
#include "tools/trainer/planned_call.h"

namespace wafersim::tools {

struct BreakdownRow {
  int layer = -1;     // -1: not of a layer
  std::string phase;  // empty between calls
  std::string kernel;
  workloads::CallBound bound;  // sums of the calls of a step
  double bound_cycles = 0;     // sum of what no call is faster than
  double closed_form_cycles = 0;
  int calls = 0;             // a step
  std::uint64_t cycles = 0;  // here and below: sums over the steps added
  // Of all PEs, exact up to 2^53: a whole wafer's are beyond 64 bits after some thousands of steps.
  std::array<double, models::activities> pe_cycles{};  // by models::Activity
  double macs = 0;
  std::array<double, models::wait_causes> waits{};  // cycles of `cycles`, by models::WaitCause; of sampled steps
};

class Breakdown {
 public:
  // calls: of a micro-batch.
  Breakdown(const std::vector<PlannedCall>& calls, std::uint64_t pes, int micro_batches);

  // Error(invariant) when the step's calls are not in order, cycles are lost or a call is faster than its bound.
  void add(const models::StepResult& step);
  // Why the calls of a step took longer than their own cycles.
  void add_waits(const models::SampledStep& step);

  int steps() const { return steps_; }
  // Kernels in the order of their first calls, then the rows between them.
  const std::vector<BreakdownRow>& rows() const { return rows_; }

  // Saves or restores what a new one does not know.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(steps_);
    for (BreakdownRow& row : rows_) archive(row.cycles, row.pe_cycles, row.macs, row.waits);
  }

 private:
  BreakdownRow& between(std::size_t index) { return rows_[rows_.size() - 3 + index]; }
  std::uint64_t add_call(BreakdownRow& row, const models::CallRecord& call);

  std::uint64_t pes_;
  std::size_t micro_batches_;
  std::vector<double> call_bounds_;
  std::vector<std::size_t> row_of_call_;
  std::vector<BreakdownRow> rows_;
  int steps_ = 0;
};

}  // namespace wafersim::tools
