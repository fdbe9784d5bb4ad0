#pragma once
// A wafer whose kernels take known times: works block after block on what its link brings, in the order of the calls, and reports.

#include <deque>
#include <optional>
#include <systemc>

#include "models/block_flow.h"
#include "models/sampled_system.h"
#include "models/systemc/block_channel.h"
#include "models/systemc/cycle_clock.h"

namespace wafersim::models {

class SampledWafer : public sc_core::sc_module, public BlockSink {
 public:
  SampledWafer(const sc_core::sc_module_name& name, int place, const CycleClock& clock);
  sc_core::sc_export<BlockSink> down;
  sc_core::sc_port<ReportSink> parent;

  // schedule outlives the run.
  void configure(const StepSchedule& schedule);

  const std::vector<SampledCall>& calls() const { return calls_; }  // of the run, step after step
  const InFlow& in() const { return *in_; }
  const OutFlow& out() const { return *out_; }

 private:
  void give(const StreamBlock& block) override;
  void tell_what_is_taken();
  void work();
  void work_on(const StreamBlock& block);

  int place_;
  const CycleClock& clock_;
  const StepSchedule* schedule_ = nullptr;
  std::optional<InFlow> in_;
  std::optional<OutFlow> out_;
  std::deque<StreamBlock> blocks_;
  sc_core::sc_event given_;
  std::vector<SampledCall> calls_;
  double free_ = 0;  // when the next block may start
};

}  // namespace wafersim::models
