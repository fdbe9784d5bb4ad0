#include "tests/support/drawn_mesh.h"

#include <algorithm>
#include <fmt/format.h>

#include "sim/random.h"
#include "workloads/closed_form.h"
#include "workloads/family.h"

namespace wafersim::tests {

using workloads::Family;

namespace {

// What a drawn step may cost by the closed forms, so that a second or two simulate it wavelet by wavelet.
constexpr double most_pe_cycles = 3e7;
// On smaller meshes a call takes less than its start's way over the link.
constexpr int fewest_columns = 8, fewest_rows = 8;

class Dice {
 public:
  Dice(std::uint64_t seed, int index) : seed_(seed), stream_(static_cast<std::uint64_t>(index)) {}

  int from_to(int low, int high) {
    return low + static_cast<int>(sim::uniform_below(static_cast<std::uint64_t>(high - low + 1), seed_, stream_, counter_++));
  }
  double between(double low, double high) { return low + (high - low) * sim::uniform(seed_, stream_, counter_++); }
  bool one_in(int n) { return from_to(1, n) == 1; }

 private:
  std::uint64_t seed_, stream_, counter_ = 0;
};

SmallModel draw_model(Dice& dice) {
  constexpr Family families[] = {Family::gpt2, Family::gptj, Family::gpt_neox, Family::llama, Family::opt, Family::bert};
  SmallModel m;
  m.family = families[dice.from_to(0, 5)];
  m.type = dice.one_in(3) ? sim::Dtype::f32 : sim::Dtype::f16;
  m.parallel_residual = dice.one_in(2);
  m.tied = dice.one_in(2);
  m.recompute = dice.one_in(3);
  m.micro_batches = dice.one_in(4) ? 2 : 1;
  m.heads = dice.from_to(1, 5);
  m.columns_per_head = dice.from_to(1, 5);
  if (m.family == Family::llama && m.heads % 2 == 0 && dice.one_in(2)) m.kv_heads = m.heads / 2;
  if (m.kv_heads == 0 && dice.one_in(3)) m.further_columns = dice.from_to(1, 3);
  const int head = std::max(2, m.columns_per_head * dice.from_to(2, 6) - dice.from_to(0, m.columns_per_head - 1));
  m.width = m.heads * head;
  m.rotary = 2 * dice.from_to(1, head / 2);
  m.inner = m.width * dice.from_to(1, 4) + dice.from_to(0, 5);
  m.lanes = dice.from_to(1, 4);
  const int columns = m.heads * m.columns_per_head + m.further_columns;
  m.rows = columns + (dice.one_in(3) ? dice.from_to(0, 4 * columns) : dice.from_to(0, 4));
  const int samples = dice.from_to(1, std::min(3, m.rows));
  const int most_rows = m.rows / samples, tokens = dice.from_to(1, 9);
  m.rows_per_sequence = dice.one_in(3) ? dice.from_to(1, most_rows) : most_rows;
  m.sequence = m.rows_per_sequence * tokens - (dice.one_in(2) ? dice.from_to(0, m.rows_per_sequence - 1) : 0);
  m.batch = (m.lanes * samples - dice.from_to(0, m.lanes - 1)) * m.micro_batches;
  m.vocabulary = dice.from_to(16, 120);
  if (dice.one_in(2)) m.loss_outputs_per_pe = dice.from_to(1, 4);
  return m;
}

void draw_constants(Dice& dice, models::MachineSpec& machine) {
  machine.fabric.hop_cycles = dice.one_in(4) ? 2 : 1;
  machine.fabric.ramp_cycles = dice.from_to(1, 3);
  machine.fabric.router_queue_words = dice.from_to(2, 8);
  machine.core.issue_cycles = dice.from_to(0, 2);
  machine.core.weight_issue_cycles = dice.from_to(0, 2);
  machine.core.output_switch_cycles = dice.from_to(0, 20);
  machine.core.rate.mixed_fma = dice.one_in(3) ? 4 : 2;
}

}  // namespace

DrawnMesh draw_mesh(std::uint64_t seed, int index, DrawnBound bound) {
  Dice dice(seed, index);
  while (true) {
    const SmallModel model = draw_model(dice);
    Experiment e = make_experiment(model);
    draw_constants(dice, e.machine);
    models::MachineSpec free = e.machine;
    make_link_free(free);
    const double kernels = workloads::estimate_step_cycles(e.lowering, e.graph, free);
    const workloads::Layout& l = e.lowering.layout;
    const int width = l.lanes * l.columns;
    if (width < fewest_columns || l.rows < fewest_rows || kernels * width * l.rows > most_pe_cycles) continue;

    const double link = bound == DrawnBound::stream ? dice.between(1.5, 5) : dice.between(0.05, 0.9);
    double updates = bound == DrawnBound::update ? dice.between(1, 4) : dice.between(0.001, 0.3);
    double words = 0;
    const models::WaferPlan plan = e.plan();
    for (const models::KernelCall& call : plan.calls) words += static_cast<double>(model.micro_batches * call.stream.in.size());
    e.machine.io.bandwidth_override = 4 * words / (link * kernels) * e.machine.core.clock;
    if (bound == DrawnBound::update) {
      // The first half of the next step may hide updates, the second needs all; a step that is skipped makes none.
      updates = std::max(updates, 0.75 * workloads::estimate_step_cycles(e.lowering, e.graph, e.machine) / kernels);
      e.training.update.loss_scale.initial = 1;
    }
    e.machine.memoryx.optimizer_rate = static_cast<double>(e.store.table().size()) / (updates * kernels) * e.machine.core.clock;
    std::string text = fmt::format(
        "{}{} {}, {} x {} PEs: {} lanes of {} heads of {} columns and {} further, {} rows; {} x {} tokens in {} rows, {} features, {} "
        "inner, "
        "{} rotated, {} heads of keys, {} words in chunks of {}; {} micro-batches{}; hop {}, ramp {}, queues {}, issue {} and {}, k0 {}, "
        "rate {}; link {:.2f}, updates {:.2f} of the kernels' time",
        workloads::name(model.family), model.family == Family::gpt_neox && !model.parallel_residual ? " serial" : "",
        model.type == sim::Dtype::f16 ? "fp16" : "fp32", plan.width, plan.height, l.lanes, l.heads, l.columns_per_head,
        model.further_columns, l.rows, model.batch, l.sequence, l.rows_per_sequence, model.width, e.lowering.shape.inner,
        e.lowering.shape.rotary, e.lowering.shape.key_heads(), model.vocabulary, e.lowering.chunk_outputs(), model.micro_batches,
        model.recompute ? ", computed again" : "", e.machine.fabric.hop_cycles, e.machine.fabric.ramp_cycles,
        e.machine.fabric.router_queue_words, e.machine.core.issue_cycles, e.machine.core.weight_issue_cycles,
        e.machine.core.output_switch_cycles, e.machine.core.rate.mixed_fma, link, updates);
    return {std::move(text), std::move(e)};
  }
}

}  // namespace wafersim::tests
