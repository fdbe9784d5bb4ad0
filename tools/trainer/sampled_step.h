#pragma once
// A sampled step in the form in which a simulated wafer reports one, so that breakdown, totals and trace are made alike.

#include <vector>

#include "models/sampled_system.h"
#include "models/system.h"
#include "workloads/sampling/kernel_sampler.h"

namespace wafersim::tools {

class SampledStepReader {
 public:
  // times: by call of the schedule. All outlive the reader.
  SampledStepReader(const models::StepSchedule& schedule, const std::vector<workloads::KernelTime>& times, std::uint64_t pes);

  // Cycles are rounded to whole ones. last_of_run: the step ends with its updates. What a PE did in a call is the samples' share; waiting
  // for weights counts as wavelet_wait, for a gradient's way out as output_wait. PEs and fabric links are not told apart.
  models::StepResult read(const models::SampledStep& step, bool last_of_run) const;

 private:
  models::CallRecord record(const models::SampledCall& call, const workloads::KernelTime& time, std::uint64_t from, std::uint64_t to) const;
  void add_links(models::StepStatistics& statistics, const models::SampledStep& step) const;

  const models::StepSchedule& schedule_;
  const std::vector<workloads::KernelTime>& times_;
  std::uint64_t pes_;
};

// Makes a step the run's `number`th and moves it to a later time.
void place(models::StepResult& step, int number, fabric::Cycle cycles);

}  // namespace wafersim::tools
