#pragma once
// A small GPT-2 in a layout on a mesh, and what follows from it: what the tests of a whole machine start from.

#include <cstdint>
#include <optional>

#include "memoryx/training.h"
#include "models/machine.h"
#include "models/plan.h"
#include "sim/dtype.h"
#include "workloads/kernels/lower.h"
#include "workloads/reference/reference_trainer.h"

namespace wafersim::tests {

struct SmallModel {
  int vocabulary = 32;
  int width = 16;
  int layers = 1;
  int heads = 2;
  int batch = 2;  // of a step
  int sequence = 8;
  int lanes = 1;
  int columns_per_head = 2;
  int further_columns = 0;  // of a lane, without a head
  int rows = 4;
  int rows_per_sequence = 0;    // 0: as many as the rows give to each sample of a lane
  int loss_outputs_per_pe = 0;  // 0: the vocabulary is one chunk
  int micro_batches = 1;
  int systems = 1;
  int fanout = 4;  // of SwarmX
  bool recompute = false;
  int kept_layers = 0;  // of those computed again: the last so many keep theirs
  bool tied = true;
  workloads::Family family = workloads::Family::gpt2;
  std::optional<workloads::Activation> activation;  // else the family's
  bool parallel_residual = true;                    // gpt_neox
  int kv_heads = 0;                                 // llama; 0: as many as heads
  int rotary = 2;                                   // features of a head; gpt2: none
  int inner = 0;                                    // 0: 4 * width
  sim::Dtype type = sim::Dtype::f32;
};

workloads::LoweringSpec lowering_of(const SmallModel& model);

// Everything that a wafer and the reference need to train the same model.
struct Experiment {
  workloads::LoweringSpec lowering;
  workloads::TrainingGraph graph;
  models::MachineSpec machine;  // a CS-2 cut to the mesh
  memoryx::ParameterStore store;
  memoryx::TrainingSpec training;  // AdamW, clipped; in fp16 with loss scale

  models::WaferPlan plan() const { return workloads::lower(lowering, graph, machine.core, machine.sram); }
  workloads::reference::ReferenceTrainer reference() const;
  // The same for every machine; differs from step to step.
  memoryx::StepBatch batch(int step) const;
};

// Weights N(0, 0.1) from a fixed seed.
Experiment make_experiment(const SmallModel& model);
// The same for a lowering of any kind.
Experiment make_experiment(const workloads::LoweringSpec& lowering);

// Weights are always there: a link without latency that carries more than the wafer can take, and a store that comes back at once.
void make_link_free(models::MachineSpec& machine);

// 2 layers, width 64, 4 heads, sequence 32, batch 4, 256 bytes, fp16, on 16 x 16 PEs.
SmallModel main_job();
// 1 layer, width 64, 4 heads, sequence 32, batch 2, 64 words, fp16, on 8 x 16 PEs.
SmallModel eight_columns();

}  // namespace wafersim::tests
