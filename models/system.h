#pragma once
// One or several wafers with their I/O links, SwarmX before several, and MemoryX as one SystemC simulation that trains step by step. One
// System a process: SystemC allows no second.
//
// A step begins where the last one ended. Starts of calls and weights stream in, gradients out. The
// step ends when its last gradient is in MemoryX and nothing on the wafer moves any more. Its updates overlap with the next step, whose
// words wait for the updates of their tensors (memoryx/memory_x.h); the last step of a run ends when its updates are done as well. So the
// cycles of the steps add up to those of the run.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "memoryx/call_span.h"
#include "memoryx/io_link.h"
#include "memoryx/parameter_store.h"
#include "memoryx/store_log.h"
#include "memoryx/training.h"
#include "models/core_block.h"
#include "models/machine.h"
#include "models/mesh_observer.h"
#include "models/plan.h"

namespace wafersim::models {

struct SystemOptions {
  int block_width = 16;
  int block_height = 16;
  int threads = 1;
};

// What happened in a step on the first wafer until it was at rest; the others do the same work. PEs are numbered y * width + x, channels
// as in memoryx::LinkTiming.
struct StepStatistics {
  std::vector<CallRecord> calls;                                    // [micro_batch * calls of the plan + call]; cycles are sums over PEs
  std::vector<std::uint64_t> activity;                              // [pe * activities + activity] cycles; for every PE at_rest - first
  std::vector<std::uint64_t> flits;                                 // [pe * directions + direction] wavelets sent
  std::uint64_t hops = 0;                                           // over links between PEs
  std::vector<memoryx::LinkCounters> in, out;                       // by channel
  std::vector<std::vector<memoryx::CallSpan>> in_spans, out_spans;  // by channel: when each call's words crossed it
};

// When what happened on another wafer.
struct WaferTimes {
  std::vector<CallRecord> calls;
  std::vector<std::vector<memoryx::CallSpan>> in_spans, out_spans;
};

struct StepResult {
  double loss = 0.0;           // mean over tokens
  float gradient_norm = 0.0f;  // unscaled, before clipping
  double lr = 0.0;
  double loss_scale = 1.0;      // that the gradients carried
  bool skipped = false;         // a gradient was not finite: no weight changed
  fabric::Cycle first = 0;      // cycles of the step are first .. last - 1
  fabric::Cycle gradients = 0;  // the last gradient arrived in MemoryX
  fabric::Cycle at_rest = 0;    // so is the wafer: the next step may begin
  fabric::Cycle last = 0;       // the same; of a run's last step when its updates are done
  // Updates that were done by `last`, of the step so many before this one; begin = end when it was skipped.
  struct Updates {
    int steps_before = 0;
    fabric::Cycle begin = 0, end = 0;
  };
  std::vector<Updates> updates;
  StepStatistics statistics;
  std::vector<WaferTimes> others;  // wafers 1, 2, ..., each simulated
  // With SwarmX: when each call's words passed its root towards the wafers; when what they sent together arrived in MemoryX.
  std::vector<memoryx::CallSpan> given, gathered;
  // What the store did since the last step's result, steps numbered from the run's first.
  memoryx::StoreLog store;
};

class System {
 public:
  // training.systems wafers that all execute the plan, which outlives the system. Throws Error(plan) for routes that cannot work,
  // Error(config) for a link that cannot.
  System(const MachineSpec& machine, const WaferPlan& plan, memoryx::ParameterStore store, const memoryx::TrainingSpec& training,
         const SystemOptions& options);
  ~System();
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  // last_of_run: the step ends with its updates, since no step follows that could hide them.
  // Throws Error(stall) when nothing can happen any more before the step is complete; its message has the wait-for cycle. After any Error
  // the system is of no more use.
  StepResult run_step(const memoryx::StepBatch& batch, bool last_of_run = false);

  // Weights and moments after the last step, and its gradients as they left the wafer, scaled, embeddings' tokens added.
  const memoryx::ParameterStore& store() const;
  // Between steps: from now on the first wafer's cycles are told to the observer, which outlives that; null: to nobody.
  void observe(MeshObserver* observer);
  fabric::Cycle now() const;  // where the next step begins

  // All that the steps so far have left behind, to go on from in another process: bytes that a system which was made alike, in the same
  // blocks, and has run no step takes. REQUIRES a last step that was not the last of a run.
  std::string save() const;
  void restore(const std::string& state);

  // --- For tests: look into a PE, and inject faults, on the first wafer. A fault strikes at the first occasion from `from` on.
  // -----------------------------
  std::vector<std::uint8_t> read_sram(fabric::Coord pe, int address, int bytes) const;
  void write_sram(fabric::Cycle from, fabric::Coord pe, int address, std::vector<std::uint8_t> bytes);
  void flip_wavelet(fabric::Cycle from, fabric::Coord pe, fabric::Color color, std::uint32_t bits);  // one that waits in the router
  void drop_wavelet(fabric::Cycle from, fabric::Coord pe, fabric::Color color);
  int faults_left() const;  // that have not struck yet

 private:
  struct Wafer;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace wafersim::models
