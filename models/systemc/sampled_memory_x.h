#pragma once
// MemoryX in blocks: reads the store in stream order into a buffer of some blocks, which a block leaves when its last word is on the link
// (or in SwarmX), takes gradients,
// updates tensor after tensor. The next step's stream starts when the last gradient has come; a call's words wait for the updates of its
// tensors.

#include <deque>
#include <systemc>
#include <tlm_utils/simple_initiator_socket.h>
#include <vector>

#include "models/sampled_system.h"
#include "models/systemc/block_channel.h"
#include "models/systemc/sampled_clock.h"

namespace wafersim::models {

class SampledMemoryX : public sc_core::sc_module, public ReportSink {
 public:
  SampledMemoryX(const sc_core::sc_module_name& name, const SampledClock& clock);
  sc_core::sc_export<ReportSink> reports;
  sc_core::sc_port<BlockSink> down;
  tlm_utils::simple_initiator_socket<SampledMemoryX> dram, flash;

  // schedule outlives the run. systems: whose tokens it serves. Throws Error(plan) when the store is too large.
  void configure(const StepSchedule& schedule, const SampledSpec& spec, int systems, int steps, const std::vector<bool>& skipped);
  void start() { started_.notify(sc_core::SC_ZERO_TIME); }

  bool finished() const { return updated_steps_ == steps_; }
  const std::vector<SampledStep>& steps() const { return results_; }  // without their calls

 private:
  struct Tensor {
    double elements = 0;
    bool in_flash = false;
    int gradients = 0;       // calls of a step that make a part of its gradient
    int gradients_left = 0;  // in the step whose gradients arrive
    bool updating = false;
    int updates = 0;  // steps after which it has been updated
  };

  void taken(int child, const BlockTaken& taken) override;
  void report(int child, const BlockReport& report) override;
  void stream();
  void collect();
  void update();

  void place_tensors();
  void wait_for_room();
  StreamBlock read(StreamBlock block);  // with its supply
  const LinkLoad& load_of(int call) const;
  // What a call reads across its rows is copied from flash as it lies, all of it, and read across in DRAM.
  void copy_to_dram(double bytes);
  void take(const BlockReport& report);
  void update_step(int step);
  int next_to_update(int step) const;  // -1: none may start
  // Cycles from now until the bytes are there, when they are asked for `after` cycles from now.
  double access(bool in_flash, double bytes, bool write, double run_bytes, double after);
  // Of a call.
  double bytes_of(const TensorUse& use) const;

  const SampledClock& clock_;
  const StepSchedule* schedule_ = nullptr;
  SampledSpec spec_;
  int systems_ = 1;
  int steps_ = 0;
  std::vector<bool> skipped_;  // by step; empty: none
  std::vector<Tensor> tensors_;
  std::vector<int> order_;  // of updates: as the step uses them first
  std::deque<BlockReport> arriving_;
  int read_ = 0;                // blocks that the buffer has a place for, but for those that have left it in `leaving_`
  std::deque<double> leaving_;  // when the oldest of them leave it
  int collected_ = 0;           // calls of the step whose gradients arrive
  int gradient_steps_ = 0;      // steps whose gradients are complete
  int updated_steps_ = 0;
  sc_core::sc_event started_, reported_, taken_, gradients_, updates_;
  std::vector<SampledStep> results_;
};

}  // namespace wafersim::models
