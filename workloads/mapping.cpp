#include "workloads/mapping.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <queue>
#include <tuple>
#include <utility>

#include "sim/error.h"
#include "workloads/closed_form.h"
#include "workloads/family.h"
#include "workloads/graph.h"
#include "workloads/instruction_cycles.h"
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
  int rows_of_features = 1, rows_of_heads = 1;
  std::int64_t input_bytes = 0, kept_bytes = 0;  // of a layer in a PE: its input, all that its backward ops read

  bool has_smaller_tile(const Candidate& o) const {
    const int t = spec.layout.tokens_per_pe, h = rows_of_features, ot = o.spec.layout.tokens_per_pe, oh = o.rows_of_features;
    return t <= ot && h <= oh && (t < ot || h < oh);
  }
  int again() const { return recomputed_layers(spec.recompute); }
  bool is_later_variant(const Candidate& o) const {  // with the same tile
    return number == o.number && (again() > o.again() || spec.loss_outputs_per_pe < o.spec.loss_outputs_per_pe);
  }
  // At least as large a tile, and no less that is kept.
  bool dominates(const Candidate& o) const {
    return spec.layout.tokens_per_pe >= o.spec.layout.tokens_per_pe && rows_of_features >= o.rows_of_features &&
           rows_of_heads >= o.rows_of_heads && again() <= o.again();
  }
};

// Why a candidate does not fit, told before its memory is laid out.
struct Refusal {
  enum class Cause { inputs, kept, smaller_tile };
  Cause cause;
  std::int64_t bytes = 0;     // that layers keep
  bool loss_refused = false;  // smaller chunks of the vocabulary could help
};

bool later(const Candidate& a, const Candidate& b) { return a.cycles != b.cycles ? a.cycles > b.cycles : a.number > b.number; }

// Of the forward results of a layer of the graph: what backward ops read.
std::vector<Features> kept_features(const TrainingGraph& graph, int layer) {
  std::vector<bool> read(graph.tensors.size());
  for (const TrainingOp& op : graph.ops)
    if (op.backward)
      for (const int tensor : op.inputs) read[static_cast<std::size_t>(tensor)] = true;
  std::vector<Features> kept;
  for (const TrainingOp& op : graph.ops)
    if (op.layer == layer && !op.backward)
      for (const int tensor : op.outputs)
        if (read[static_cast<std::size_t>(tensor)]) kept.push_back(graph.tensors[static_cast<std::size_t>(tensor)].features);
  return kept;
}

class Search {
 public:
  Search(const RunSpec& run, const ModelShape& shape, const models::MachineSpec& machine)
      : run_(run),
        shape_(shape),
        machine_(machine),
        causal_(family_form(shape).causal),
        graphs_{{training_graph(1, {}), training_graph(2, {})},
                {training_graph(1, recompute_first(1, 1)), training_graph(2, recompute_first(2, 2))}},
        kept_(kept_features(graphs_[0].two_layers, 1)),
        matrix_parameters_(static_cast<double>(matrix_parameters(shape))) {}

  // Nothing when no candidate fits; then `failure` and `smallest` say what was missing.
  std::optional<Mapping> best();
  const std::string& failure() const { return failure_; }
  const std::optional<Candidate>& smallest() const { return smallest_; }
  // Of all layers.
  const TrainingGraph& graph(const Recompute& recompute) {
    auto [found, is_new] = all_layers_.try_emplace(recompute);
    if (is_new) found->second = training_graph(shape_.layers, recompute);
    return found->second;
  }

 private:
  struct Graphs {
    TrainingGraph one_layer, two_layers;
  };
  using Queue = std::priority_queue<Candidate, std::vector<Candidate>, decltype(&later)>;

  TrainingGraph training_graph(int layers, const Recompute& recompute) const {
    ModelShape some = shape_;
    some.layers = layers;
    return differentiate(build_model(some), recompute);
  }
  // Layers are alike: those beyond the first take what the second adds.
  double estimate_alike(const Candidate& c, bool again) {
    auto [found, is_new] = estimates_.try_emplace({c.number, c.spec.loss_outputs_per_pe, again});
    if (is_new) {
      const double one = estimate_step_cycles(c.spec, graphs_[again].one_layer, machine_),
                   two = estimate_step_cycles(c.spec, graphs_[again].two_layers, machine_);
      found->second = one + (shape_.layers - 1) * (two - one);
    }
    return found->second;
  }
  double estimate(const Candidate& c) {
    const int again = c.again();
    if (again == 0 || again == shape_.layers) return estimate_alike(c, again > 0);
    return std::lerp(estimate_alike(c, false), estimate_alike(c, true), static_cast<double>(again) / shape_.layers);
  }
  // Every weight of a column meets every token of its PE three times: forward, for the input's and for its own gradient. Every query of a
  // block meets every key that it may see in two products forward and in five backward.
  double least_cycles(const LoweringSpec& spec) const {
    const Layout& layout = spec.layout;
    const models::RateTable& rates = machine_.core.rate;
    const double rate = sim::is_half(spec.type) ? rates.mixed_fma : rates.single_fma, t = layout.tokens_per_pe;
    const double linears = 3 * matrix_parameters_ / layout.columns * InstructionCycles::spread(layout.tokens_per_pe, rate);
    const double pairs = layout.rows_per_sequence * (causal_ ? t * (t + 1) / 2 : t * t);
    const double products = 7.0 * shape_.layers * tile_rows(Features::heads, shape_, layout) * pairs;
    return spec.micro_batches * (linears + products / InstructionCycles::whole_rate(rate));
  }
  std::int64_t tile_bytes(const Layout& layout, Features features) const {
    const int rows = tile_rows(features, shape_, layout);
    return std::int64_t{layout.pitch()} * (features == Features::statistic ? 4 : rows * sim::bytes_of(run_.dtype));
  }
  // What stays of every layer until the loss, with so many layers' activations computed again.
  std::int64_t least_bytes(const Candidate& c, int again) const { return again * c.input_bytes + (shape_.layers - again) * c.kept_bytes; }
  Candidate candidate(const Layout& layout, int chunks, const Recompute& recompute, std::size_t number) const {
    Candidate made;
    const int a_column = ceil_divide(shape_.vocabulary, layout.columns);
    made.spec = {shape_, layout, ceil_divide(a_column, chunks), run_.dtype, run_.batch_per_system() / layout.batch, recompute};
    made.cycles = least_cycles(made.spec);
    made.number = number;
    made.rows_of_features = tile_rows(Features::residual, shape_, layout);
    made.rows_of_heads = tile_rows(Features::heads, shape_, layout);
    made.input_bytes = tile_bytes(layout, Features::residual);
    for (const Features kept : kept_) made.kept_bytes += tile_bytes(layout, kept);
    return made;
  }
  // Whatever is computed again.
  bool holds_no_inputs(const Candidate& c) const { return least_bytes(c, shape_.layers) > machine_.sram.bytes; }
  // The one with the fewest estimated cycles of those that are wanted, taken out.
  template <class Wanted>
  std::optional<Candidate> next(Queue& queue, Wanted&& wanted);
  std::optional<Refusal> refusal_without_map(const Candidate& candidate) const;
  std::string text(const Refusal& refusal) const;
  bool is_smallest_failure(const Candidate& failed) const {
    return !smallest_ || failed.has_smaller_tile(*smallest_) || failed.is_later_variant(*smallest_);
  }
  void note_failure(const Candidate& failed, const std::string& refusal) {
    smallest_ = failed;
    failure_ = refusal;
  }
  void add_variants(Queue& queue, const Candidate& refused, bool loss_refused) const;
  void reject(Mapping& mapping, const Candidate& candidate, const std::string& reason) const;
  Mapping finish(const Candidate& chosen, Mapping mapping, Queue& others);

  const RunSpec& run_;
  const ModelShape& shape_;
  const models::MachineSpec& machine_;
  bool causal_;
  Graphs graphs_[2];            // that keep all activations, that compute them again
  std::vector<Features> kept_;  // of a layer, for its backward ops
  std::map<Recompute, TrainingGraph> all_layers_;
  std::map<std::tuple<std::size_t, int, bool>, double> estimates_;  // of a layout and chunks whose layers are all kept or computed again
  struct Failed {
    Candidate candidate;
    bool loss_refused;
  };
  std::vector<Failed> failed_;
  std::string failure_;
  std::optional<Candidate> smallest_;
  double matrix_parameters_;
};

template <class Wanted>
std::optional<Candidate> Search::next(Queue& queue, Wanted&& wanted) {
  while (!queue.empty()) {
    Candidate top = queue.top();
    queue.pop();
    if (!wanted(top)) {
      const Refusal refused = *refusal_without_map(top);
      if (is_smallest_failure(top)) note_failure(top, text(refused));
      add_variants(queue, top, refused.loss_refused);
      continue;
    }
    if (top.estimated) return top;
    const double least = std::exchange(top.cycles, estimate(top));
    sim::require_invariant(least <= top.cycles, "no estimate is below what its multiply-adds take");
    top.estimated = true;
    queue.push(std::move(top));
  }
  return {};
}

// From what layers keep alone, or because a smaller one does not fit.
std::optional<Refusal> Search::refusal_without_map(const Candidate& candidate) const {
  using Cause = Refusal::Cause;
  const int sram = machine_.sram.bytes;
  if (const auto bytes = least_bytes(candidate, shape_.layers); bytes > sram) return Refusal{Cause::inputs, bytes};
  if (const auto bytes = least_bytes(candidate, candidate.again()); bytes > sram) return Refusal{Cause::kept, bytes};
  std::optional<Refusal> refused;
  for (const Failed& failed : failed_) {
    if (!candidate.dominates(failed.candidate)) continue;
    const bool by_chunks = candidate.spec.loss_outputs_per_pe >= failed.candidate.spec.loss_outputs_per_pe;
    if (failed.loss_refused && !by_chunks) continue;
    refused = Refusal{Cause::smaller_tile, 0, failed.loss_refused};
    if (!failed.loss_refused) return refused;
  }
  return refused;
}

std::string Search::text(const Refusal& refusal) const {
  if (refusal.cause == Refusal::Cause::smaller_tile) return "SRAM overflow: a smaller tile does not fit";
  return fmt::format("SRAM overflow: {} {} layers takes {} bytes a PE of {}",
                     refusal.cause == Refusal::Cause::inputs ? "the input alone of" : "what is kept of", shape_.layers, refusal.bytes,
                     machine_.sram.bytes);
}

// What may fit where a candidate does not: smaller chunks of the vocabulary, activations of one more layer computed again, or of as many
// more as anything is known of. Slower, so that its turn comes in time.
void Search::add_variants(Queue& queue, const Candidate& refused, bool loss_refused) const {
  const LoweringSpec& spec = refused.spec;
  if (loss_refused && spec.loss_outputs_per_pe > 1) queue.push(candidate(spec.layout, 2 * spec.chunks(), spec.recompute, refused.number));
  if (run_.mapping.recompute || spec.chunks() > 1) return;
  Candidate more = candidate(spec.layout, 1, spec.recompute, refused.number);
  for (int again = refused.again() + 1; again <= shape_.layers; ++again) {
    if (least_bytes(refused, again) > machine_.sram.bytes) continue;
    more.spec.recompute = recompute_first(again, shape_.layers);
    const std::optional<Refusal> refusal = refusal_without_map(more);
    if (refusal && !refusal->loss_refused) continue;
    queue.push(std::move(more));
    return;
  }
}

void Search::reject(Mapping& mapping, const Candidate& candidate, const std::string& reason) const {
  if (mapping.rejected.size() == most_rejected) return;
  const Layout& layout = candidate.spec.layout;
  mapping.rejected.push_back({layout.lanes, layout.tokens_per_pe, candidate.rows_of_features, candidate.spec.loss_outputs_per_pe,
                              candidate.spec.micro_batches, candidate.spec.recompute, candidate.cycles, reason});
}

Mapping Search::finish(const Candidate& chosen, Mapping mapping, Queue& others) {
  const Layout& layout = chosen.spec.layout;
  mapping.layout = layout;
  mapping.loss_outputs_per_pe = chosen.spec.loss_outputs_per_pe;
  mapping.tokens_per_pe = layout.tokens_per_pe;
  mapping.features_per_pe = chosen.rows_of_features;
  mapping.micro_batches = chosen.spec.micro_batches;
  mapping.recompute = chosen.spec.recompute;
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
  const Recompute recompute = run_.mapping.recompute.value_or(Recompute{});
  std::vector<Candidate> candidates;
  for (const Layout& layout : candidate_layouts(run_, shape_)) candidates.push_back(candidate(layout, 1, recompute, candidates.size()));
  if (std::all_of(candidates.begin(), candidates.end(), [this](const Candidate& c) { return holds_no_inputs(c); })) {
    for (Candidate& c : candidates) {
      c.spec.recompute = least_kept(run_, shape_);
      if (is_smallest_failure(c)) note_failure(c, text(*refusal_without_map(c)));
    }
    return {};  // whose times nobody asks for: estimates of large tiles are slow
  }
  Queue queue(&later, std::move(candidates));
  Mapping mapping;
  const auto wanted = [&](const Candidate& c) { return mapping.rejected.size() < most_rejected || !refusal_without_map(c); };
  while (const std::optional<Candidate> found = next(queue, wanted)) {
    const Candidate& next = *found;
    MemoryMap memory;
    if (const std::optional<Refusal> refused = refusal_without_map(next)) {
      memory.refusal = text(*refused);
      memory.loss_refused = refused->loss_refused;
    } else {
      memory = memory_map(next.spec, graph(next.spec.recompute), machine_.sram);
      if (memory.refusal.empty()) {
        mapping.sram = std::move(memory.sram);
        return finish(next, std::move(mapping), queue);
      }
      failed_.push_back({next, memory.loss_refused});
    }
    if (is_smallest_failure(next)) note_failure(next, memory.refusal);
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
      mapping.layout.lanes, mapping.tokens_per_pe, mapping.features_per_pe, mapping.micro_batches,
      recompute_to_json(mapping.recompute).dump());
}

std::string describe(const std::optional<Layout>& other, const ModelShape& shape) {
  if (!other) return "; no mesh has a tile that fits (sram.bytes)";
  return fmt::format("; a tile of {} tokens and {} features would fit on a mesh of {} x {} PEs (fabric.width, fabric.height)",
                     other->tokens_per_pe, tile_rows(Features::residual, shape, *other), other->columns, other->rows);
}

std::string describe_batch(const std::optional<Layout>& largest, const RunSpec& run) {
  if (!largest) return "; no batch fits with what mapping.* pins";
  const std::int64_t batch = std::int64_t{run.systems} * largest->batch * std::max(run.mapping.micro_batches, 1);
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
    message += describe_batch(largest_batch_layout(run, shape, search.graph(least_kept(run, shape)), machine), run);
  } else {
    if (search.smallest()) {  // of a micro-batch of one sample
      const LoweringSpec& spec = search.smallest()->spec;
      models::SramSpec endless = machine.sram;
      endless.bytes = std::numeric_limits<int>::max() / 2;
      const MemoryMap needed = memory_map(spec, search.graph(least_kept(run, shape)), endless);
      message += fmt::format(
          "; no batch fits, no tile fits this rectangle: the smallest has {} tokens and {} features a PE and needs {}{} bytes of {}",
          spec.layout.tokens_per_pe, search.smallest()->rows_of_features, needed.refusal.empty() ? "" : "more than ",
          needed.refusal.empty() ? needed.sram.peak_bytes : endless.bytes, machine.sram.bytes);
    }
    message += describe(smallest_fitting_layout(run, shape, search.graph(recompute_first(shape.layers, shape.layers)), machine), shape);
  }
  throw sim::Error(sim::ErrorCategory::plan, message);
}

LoweringSpec lowering_spec(const Mapping& mapping, const RunSpec& run, const ModelShape& shape) {
  return {shape,
          mapping.layout,
          mapping.loss_outputs_per_pe,
          run.dtype,
          mapping.micro_batches,
          mapping.recompute,
          {run.systems, run.machine.swarmx.fanout}};
}

}  // namespace wafersim::workloads
