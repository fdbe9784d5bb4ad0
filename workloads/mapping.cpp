#include "workloads/mapping.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <queue>
#include <utility>

#include "sim/error.h"
#include "workloads/closed_form.h"
#include "workloads/family.h"
#include "workloads/graph.h"
#include "workloads/mapping_advice.h"
#include "workloads/mapping_candidates.h"

namespace wafersim::workloads {
namespace {

constexpr std::size_t most_rejected = 5;

struct Candidate {
  LoweringSpec spec;
  double cycles = 0;       // by the closed forms or, until its turn comes, a bound that they are not below
  bool estimated = false;  // by the closed forms
  std::size_t number = 0;  // of its layout: the first of equals goes first

  int rows_of_features() const { return tile_rows(Features::residual, spec.shape, spec.layout); }
  int rows_of_heads() const { return tile_rows(Features::heads, spec.shape, spec.layout); }
  bool has_smaller_tile(const Candidate& o) const {
    const int t = spec.layout.tokens_per_pe, h = rows_of_features(), ot = o.spec.layout.tokens_per_pe, oh = o.rows_of_features();
    return t <= ot && h <= oh && (t < ot || h < oh);
  }
  bool recomputes() const { return !spec.recompute.empty(); }
  bool has_smaller_chunks(const Candidate& o) const {  // with the same tile
    return number == o.number && recomputes() == o.recomputes() && spec.loss_outputs_per_pe < o.spec.loss_outputs_per_pe;
  }
  // At least as large a tile, and no less that is kept.
  bool dominates(const Candidate& o) const {
    return recomputes() <= o.recomputes() && spec.layout.tokens_per_pe >= o.spec.layout.tokens_per_pe &&
           rows_of_features() >= o.rows_of_features() && rows_of_heads() >= o.rows_of_heads();
  }
};

bool later(const Candidate& a, const Candidate& b) { return a.cycles != b.cycles ? a.cycles > b.cycles : a.number > b.number; }

class Search {
 public:
  Search(const RunSpec& run, const ModelShape& shape, const models::MachineSpec& machine)
      : run_(run),
        shape_(shape),
        machine_(machine),
        graphs_{{training_graph(shape.layers, false), training_graph(1, false), training_graph(2, false)},
                {training_graph(shape.layers, true), training_graph(1, true), training_graph(2, true)}} {
    const memoryx::ParameterTable table = parameter_table(shape);
    const FamilyForm form = family_form(shape);
    for (const memoryx::ParameterEntry& entry : table.entries())
      if (entry.shape.size() > 1 && entry.name != form.position_rows && entry.name != form.token_rows)
        matrix_elements_ += static_cast<double>(entry.size);
  }

  // Nothing when no candidate fits; then `failure` and `smallest` say what was missing.
  std::optional<Mapping> best();
  const std::string& failure() const { return failure_; }
  const std::optional<Candidate>& smallest() const { return smallest_; }
  const TrainingGraph& graph(bool recompute) const { return graphs_[recompute].all; }

 private:
  struct Graphs {
    TrainingGraph all, one_layer, two_layers;
  };
  using Queue = std::priority_queue<Candidate, std::vector<Candidate>, decltype(&later)>;

  TrainingGraph training_graph(int layers, bool recompute) const {
    ModelShape some = shape_;
    some.layers = layers;
    return differentiate(build_model(some), recomputed_layers(recompute, layers));
  }
  // Layers are alike: those beyond the first take what the second adds.
  double estimate(const LoweringSpec& spec) const {
    const Graphs& graphs = graphs_[!spec.recompute.empty()];
    const double one = estimate_step_cycles(spec, graphs.one_layer, machine_),
                 two = estimate_step_cycles(spec, graphs.two_layers, machine_);
    return one + (shape_.layers - 1) * (two - one);
  }
  // Every weight of a column meets every token of its PE three times: forward, for the input's and for its own gradient.
  double least_cycles(const LoweringSpec& spec) const {
    const models::RateTable& rate = machine_.core.rate;
    const double vector = std::ceil(spec.layout.tokens_per_pe / (spec.type == sim::Dtype::f16 ? rate.mixed_fma : rate.single_fma));
    return 3.0 * spec.micro_batches * matrix_elements_ / spec.layout.columns * vector;
  }
  // What stays of every layer, computed again or not, is at least its input.
  std::int64_t least_bytes(const LoweringSpec& spec) const {
    return std::int64_t{shape_.layers} * tile_rows(Features::residual, shape_, spec.layout) * spec.layout.pitch() *
           sim::bytes_of(spec.type);
  }
  Candidate candidate(const Layout& layout, int chunks, bool recompute, std::size_t number) const {
    Candidate made;
    const int a_column = ceil_divide(shape_.vocabulary, layout.columns);
    made.spec = {shape_,
                 layout,
                 ceil_divide(a_column, chunks),
                 run_.dtype,
                 run_.batch_per_system() / layout.batch,
                 recomputed_layers(recompute, shape_.layers)};
    made.cycles = least_cycles(made.spec);
    made.number = number;
    return made;
  }
  // The one with the fewest estimated cycles of those that are wanted, taken out.
  template <class Wanted>
  std::optional<Candidate> next(Queue& queue, Wanted&& wanted) const;
  std::optional<MemoryMap> refusal_without_map(const Candidate& candidate) const;
  void add_variants(Queue& queue, const Candidate& refused, bool loss_refused) const;
  void reject(Mapping& mapping, const Candidate& candidate, const std::string& reason) const;
  Mapping finish(const Candidate& chosen, Mapping mapping, Queue& others) const;

  const RunSpec& run_;
  const ModelShape& shape_;
  const models::MachineSpec& machine_;
  Graphs graphs_[2];  // that keep all activations, that compute them again
  struct Failed {
    Candidate candidate;
    bool loss_refused;
  };
  std::vector<Failed> failed_;
  std::string failure_;
  std::optional<Candidate> smallest_;
  double matrix_elements_ = 0;  // that every token is multiplied with
};

template <class Wanted>
std::optional<Candidate> Search::next(Queue& queue, Wanted&& wanted) const {
  while (!queue.empty()) {
    Candidate top = queue.top();
    queue.pop();
    if (!wanted(top)) {
      add_variants(queue, top, refusal_without_map(top)->loss_refused);
      continue;
    }
    if (top.estimated) return top;
    const double least = std::exchange(top.cycles, estimate(top.spec));
    sim::require_invariant(least <= top.cycles, "no estimate is below what its multiply-adds take");
    top.estimated = true;
    queue.push(std::move(top));
  }
  return {};
}

// What can be said of a candidate that does not fit before its memory is laid out: from the layers' inputs alone, or because a smaller one
// does not fit.
std::optional<MemoryMap> Search::refusal_without_map(const Candidate& candidate) const {
  MemoryMap refused;
  if (const std::int64_t bytes = least_bytes(candidate.spec); bytes > machine_.sram.bytes) {
    refused.refusal =
        fmt::format("SRAM overflow: the inputs of {} layers take {} bytes a PE of {}", shape_.layers, bytes, machine_.sram.bytes);
    return refused;
  }
  for (const Failed& failed : failed_) {
    if (!candidate.dominates(failed.candidate)) continue;
    const bool by_chunks = candidate.spec.loss_outputs_per_pe >= failed.candidate.spec.loss_outputs_per_pe;
    if (failed.loss_refused && !by_chunks) continue;
    refused.refusal = "SRAM overflow: a smaller tile does not fit";
    refused.loss_refused = failed.loss_refused;
    if (!refused.loss_refused) return refused;
  }
  if (refused.refusal.empty()) return {};
  return refused;
}

// What may fit where a candidate does not: smaller chunks of the vocabulary, activations computed again. Slower, so that its turn comes in
// time.
void Search::add_variants(Queue& queue, const Candidate& refused, bool loss_refused) const {
  const LoweringSpec& spec = refused.spec;
  if (least_bytes(spec) > machine_.sram.bytes) return;
  if (loss_refused && spec.loss_outputs_per_pe > 1)
    queue.push(candidate(spec.layout, 2 * spec.chunks(), refused.recomputes(), refused.number));
  const bool may_recompute = run_.mapping.recompute.value_or(true);
  if (may_recompute && !refused.recomputes() && spec.chunks() == 1) queue.push(candidate(spec.layout, 1, true, refused.number));
}

void Search::reject(Mapping& mapping, const Candidate& candidate, const std::string& reason) const {
  if (mapping.rejected.size() == most_rejected) return;
  const Layout& layout = candidate.spec.layout;
  mapping.rejected.push_back({layout.lanes, layout.tokens_per_pe, candidate.rows_of_features(), candidate.spec.loss_outputs_per_pe,
                              candidate.spec.micro_batches, candidate.recomputes(), candidate.cycles, reason});
}

Mapping Search::finish(const Candidate& chosen, Mapping mapping, Queue& others) const {
  const Layout& layout = chosen.spec.layout;
  mapping.layout = layout;
  mapping.loss_outputs_per_pe = chosen.spec.loss_outputs_per_pe;
  mapping.tokens_per_pe = layout.tokens_per_pe;
  mapping.features_per_pe = chosen.rows_of_features();
  mapping.micro_batches = chosen.spec.micro_batches;
  mapping.recompute = chosen.recomputes();
  mapping.estimated_cycles = chosen.cycles;
  const double slots = static_cast<double>(layout.lanes) * layout.rows * layout.tokens_per_pe;
  const double outputs = static_cast<double>(chosen.spec.chunks()) * layout.columns * mapping.loss_outputs_per_pe;
  mapping.padding.token_slots = 1 - static_cast<double>(layout.batch) * layout.sequence / slots;
  mapping.padding.features = 1 - static_cast<double>(shape_.width) / (static_cast<double>(layout.columns) * mapping.features_per_pe);
  mapping.padding.vocabulary = 1 - shape_.vocabulary / outputs;
  while (mapping.rejected.size() < most_rejected) {
    const std::optional<Candidate> other = next(others, [](const Candidate&) { return true; });
    if (!other) break;
    reject(mapping, *other, fmt::format("slower: {:.1f} % more cycles by the closed forms", 100 * (other->cycles / chosen.cycles - 1)));
  }
  return mapping;
}

std::optional<Mapping> Search::best() {
  Queue queue(&later);
  std::size_t number = 0;
  const bool only_recompute = run_.mapping.recompute.value_or(false);
  for (const Layout& layout : candidate_layouts(run_, shape_)) queue.push(candidate(layout, 1, only_recompute, number++));
  Mapping mapping;
  const auto wanted = [&](const Candidate& c) { return mapping.rejected.size() < most_rejected || !refusal_without_map(c); };
  while (const std::optional<Candidate> found = next(queue, wanted)) {
    const Candidate& next = *found;
    MemoryMap memory;
    if (std::optional<MemoryMap> refused = refusal_without_map(next)) {
      memory = std::move(*refused);
    } else {
      memory = memory_map(next.spec, graph(next.recomputes()), machine_.sram);
      if (memory.refusal.empty()) {
        mapping.sram = std::move(memory.sram);
        return finish(next, std::move(mapping), queue);
      }
      failed_.push_back({next, memory.loss_refused});
    }
    if (!smallest_ || next.has_smaller_tile(*smallest_) || next.has_smaller_chunks(*smallest_)) {
      smallest_ = next;
      failure_ = memory.refusal;
    }
    reject(mapping, next, memory.refusal.substr(0, memory.refusal.find(';')));  // without the remedy
    add_variants(queue, next, memory.loss_refused);
  }
  return {};
}

bool pinned(const MappingSpec& mapping) {
  return mapping.lanes > 0 || mapping.tokens_per_pe > 0 || mapping.features_per_pe > 0 || mapping.micro_batches > 0 || mapping.recompute;
}

std::string describe(const Mapping& mapping) {
  return fmt::format(
      "mapping.lanes = {}, mapping.tokens_per_pe = {}, mapping.features_per_pe = {}, mapping.micro_batches = {} and "
      "mapping.recompute = {} would fit",
      mapping.layout.lanes, mapping.tokens_per_pe, mapping.features_per_pe, mapping.micro_batches, mapping.recompute);
}

std::string describe(const std::optional<Layout>& other, const ModelShape& shape) {
  if (!other) return "; no mesh has a tile that fits (sram.bytes)";
  return fmt::format("; a tile of {} tokens and {} features would fit on a mesh of {} x {} PEs (fabric.width, fabric.height)",
                     other->tokens_per_pe, tile_rows(Features::residual, shape, *other), other->columns, other->rows);
}

std::string describe_batch(const std::optional<Layout>& largest, const RunSpec& run) {
  if (!largest) return "; no batch fits with what mapping.* pins";
  const int batch = run.systems * largest->batch * std::max(run.mapping.micro_batches, 1);
  return fmt::format("; the largest batch that fits {} is {} (training.batch)",
                     run.mapping.micro_batches > 0 ? "with what mapping.* pins" : "at once with what mapping.* pins", batch);
}

std::string no_layout(const RunSpec& run, const ModelShape& shape) {
  const fabric::Rectangle& part = run.mapping.rectangle;
  return fmt::format(
      "{} heads of {} features and {} samples of {} tokens find no place on {} x {} PEs{}: a head takes whole columns, a lane "
      "at most as many columns as there are rows, a sample whole rows",
      shape.heads, shape.head(), run.batch_per_system(), run.training.sequence, part.width, part.height,
      pinned(run.mapping) ? " as mapping.* pins them" : "");
}

}  // namespace

Mapping choose_mapping(const RunSpec& run, const ModelShape& shape, const models::MachineSpec& machine) {
  Search search(run, shape, machine);
  if (std::optional<Mapping> mapping = search.best()) return std::move(*mapping);
  std::string message = search.smallest() ? search.failure() : no_layout(run, shape);
  if (pinned(run.mapping)) {
    RunSpec free = run;
    free.mapping = {};
    free.mapping.rectangle = run.mapping.rectangle;
    const std::optional<Mapping> other = Search(free, shape, machine).best();
    message += other ? "; " + describe(*other) : "; nor does any other tile fit this rectangle";
    message += describe_batch(largest_batch_layout(run, shape, search.graph(run.mapping.recompute.value_or(true)), machine), run);
  } else {
    if (search.smallest()) {  // of a micro-batch of one sample
      const LoweringSpec& spec = search.smallest()->spec;
      models::SramSpec endless = machine.sram;
      endless.bytes = std::numeric_limits<int>::max() / 2;
      const int needed = memory_map(spec, search.graph(run.mapping.recompute.value_or(true)), endless).sram.peak_bytes;
      message += fmt::format(
          "; no batch fits, no tile fits this rectangle: the smallest has {} tokens and {} features a PE and needs {} bytes of {}",
          spec.layout.tokens_per_pe, search.smallest()->rows_of_features(), needed, machine.sram.bytes);
    }
    message += describe(smallest_fitting_layout(run, shape, search.graph(true), machine), shape);
  }
  throw sim::Error(sim::ErrorCategory::plan, message);
}

LoweringSpec lowering_spec(const Mapping& mapping, const RunSpec& run, const ModelShape& shape) {
  return {shape,
          mapping.layout,
          mapping.loss_outputs_per_pe,
          run.dtype,
          mapping.micro_batches,
          recomputed_layers(mapping.recompute, shape.layers),
          {run.systems, run.machine.swarmx.fanout}};
}

}  // namespace wafersim::workloads
