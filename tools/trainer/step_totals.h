#pragma once
// What several steps counted, added up, and the promises that every step must keep.

#include <cstdint>
#include <vector>

#include "memoryx/io_link.h"
#include "models/plan.h"
#include "models/system.h"

namespace wafersim::tools {

// Sums over the steps added; indices as in models::StepStatistics.
struct StepTotals {
  int steps = 0;
  std::uint64_t cycles = 0;
  double hops = 0;  // of all PEs, as many as BreakdownRow::pe_cycles
  std::vector<std::uint64_t> activity;
  std::vector<std::uint64_t> flits;
  std::vector<memoryx::LinkCounters> in, out;

  void add(const models::StepResult& step);
  template <class Archive>
  void serialize(Archive& archive) {
    archive(steps, cycles, hops, activity, flits, in, out);
  }
};

// Error(invariant) unless the step kept what any step must: every PE's busy, stalled and idle cycles are the step's, all words of the plan
// crossed the link, no link was busier than time allows, no PE did more multiply-adds than its peak `rate` (a cycle).
void check_step(const models::WaferPlan& plan, const models::StepResult& step, double rate);

}  // namespace wafersim::tools
