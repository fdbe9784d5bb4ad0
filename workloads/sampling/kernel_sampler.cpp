#include "workloads/sampling/kernel_sampler.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <utility>

#include "models/thread_team.h"
#include "workloads/closed_form.h"
#include "workloads/kernels/bank_phases.h"
#include "workloads/kernels/lower_alone.h"
#include "workloads/sampling/sample_key.h"

namespace wafersim::workloads {

// One kind of op of a graph.
struct KernelSampler::OpClass {
  TrainingKind kind = TrainingKind::embedding;
  std::size_t op = 0;  // the first of its kind
  LoweringSpec spec;
  TrainingGraph alone;  // that op
  SampleHeads heads;
  bool whole = false;  // timed on the mesh of `spec`
  SampleReach reach = {};
  int scale = 1;
  std::string key;
  SampledOp sampled;
  std::vector<std::pair<SampleMesh, std::vector<CallMeasurement>>> measured;  // of every scale: they share meshes
  SampleReport::Source source = SampleReport::Source::sampled;

  LoweringSpec on(const SampleMesh& mesh) const {
    if (!whole) return on_mesh(spec, mesh, heads);
    LoweringSpec one = spec;
    one.micro_batches = 1;
    return one;
  }
};

namespace {

constexpr double largest_residual = 0.01;
constexpr int largest_scale = 6;

// Whether a tensor of the op holds keys once for a group of heads.
bool shares_keys(const TrainingGraph& graph, const TrainingOp& op) {
  const auto is_grouped = [&](int t) { return graph.tensors[static_cast<std::size_t>(t)].features == Features::grouped_qkv; };
  return std::any_of(op.inputs.begin(), op.inputs.end(), is_grouped) || std::any_of(op.outputs.begin(), op.outputs.end(), is_grouped);
}

// The call of a sample that stands for call `index` of the op's: the same kind; the first, the last, or one between.
std::size_t sampled_call(const std::vector<CallOutline>& calls, std::size_t index, const std::vector<CallOutline>& sampled) {
  const CallKind kind = calls[index].kind;
  const auto is_kind = [kind](const CallOutline& c) { return c.kind == kind; };
  const auto count = std::count_if(calls.begin(), calls.end(), is_kind),
             before = std::count_if(calls.begin(), calls.begin() + static_cast<std::ptrdiff_t>(index), is_kind);
  const auto sampled_count = std::count_if(sampled.begin(), sampled.end(), is_kind);
  auto place = before + 1 == count ? sampled_count - 1 : std::min(before, std::max<std::ptrdiff_t>(0, sampled_count - 2));
  for (std::size_t i = 0;; ++i)
    if (sampled[i].kind == kind && place-- == 0) return i;
}

// Part of the places of a call's tiles whose features do the work that macs count: a norm leaves out padding.
double true_places(const CallOutline& call, const Layout& layout) {
  switch (call.kind) {
    case CallKind::layer_norm:
    case CallKind::layer_norm_gradient:
    case CallKind::rms_norm:
    case CallKind::rms_norm_gradient: return static_cast<double>(call.inputs) / (static_cast<double>(call.tile_inputs) * layout.columns);
    default: return 1;
  }
}

// PEs that work: attention leaves out rows without sequences and columns without a head.
double working_pes(TrainingKind kind, const SampleMesh& mesh, const Layout& layout) {
  if (kind != TrainingKind::attention && kind != TrainingKind::attention_gradient) return static_cast<double>(mesh.width()) * mesh.rows;
  return static_cast<double>(mesh.lanes) * layout.head_columns() * mesh.sequence_rows();
}

// working: PEs that are as the mean one, of those that work `places` of the places of their tiles; the others are idle.
KernelTime kernel_time(const CallMeasurement& mean, const SampleMesh& mesh, double working, double places) {
  const double pes = static_cast<double>(mesh.width()) * mesh.rows;
  KernelTime time;
  time.period = mean.period;
  time.active = mean.active;
  const double sum = std::accumulate(mean.cycles.begin(), mean.cycles.end(), 0.0);
  for (std::size_t a = 0; a < models::activities; ++a) time.share[a] = mean.cycles[a] / sum * working / pes;
  time.share[static_cast<std::size_t>(models::Activity::idle)] += 1 - working / pes;
  time.macs = std::round(mean.macs * working * places);
  time.hops = mean.hops * working;
  return time;
}

}  // namespace

KernelSampler::OpClass KernelSampler::make_class(const LoweringSpec& spec, const TrainingGraph& graph, std::size_t op) const {
  OpClass made;
  made.kind = graph.ops[op].kind;
  made.op = op;
  made.spec = spec;
  made.alone = {graph.tensors, {graph.ops[op]}};
  made.heads = {needs_whole_heads(made.kind) ? spec.layout.columns_per_head : 1,
                shares_keys(graph, graph.ops[op]) ? spec.shape.group() : 1};
  made.whole = true;
  made.whole = cost_of(made) <= whole_cycles_;
  for (const SampleReach& reach : sample_reaches) {
    if (spec.layout.rows < reach.least_rows_a_column * spec.layout.columns) continue;
    made.reach = reach;
    if (cost_of(made) <= most_sample_cycles) break;
  }
  const SampleSet set = samples_of(made, 1);
  made.key = sample_key(lower_alone(made.on(set.meshes.front()), graph, op, machine_.sram), set, machine_);
  return made;
}

double KernelSampler::cost_of(const OpClass& op) const {
  double cost = 0;
  for (const SampleMesh& mesh : samples_of(op, 1).meshes) {
    const LoweringSpec sample = op.on(mesh);
    for (const CallOutline& call : outline_calls(sample, op.alone))
      cost += closed_form_cycles(call, sample, machine_) * mesh.width() * mesh.rows;
  }
  return cost;
}

SampleSet KernelSampler::samples_of(const OpClass& op, int scale) const {
  if (op.whole) return {{Regressor::one}, {mesh_of(op.spec)}};
  return choose_samples(op.kind, mesh_of(op.spec), op.heads.columns(), op.reach, scale);
}

// Runs the samples of the classes that no smaller scale has run, each on a thread.
void KernelSampler::measure(const std::vector<OpClass*>& classes, const TrainingGraph& graph) const {
  struct Job {
    OpClass* op;
    std::size_t mesh;
  };
  std::vector<Job> jobs;
  for (OpClass* op : classes) {
    op->sampled.set = samples_of(*op, op->scale);
    op->sampled.samples.assign(op->sampled.set.meshes.size(), {});
    for (std::size_t mesh = op->sampled.set.meshes.size(); mesh-- > 0;) {
      const auto known =
          std::find_if(op->measured.begin(), op->measured.end(), [&](const auto& m) { return m.first == op->sampled.set.meshes[mesh]; });
      if (known != op->measured.end())
        op->sampled.samples[mesh] = known->second;
      else
        jobs.push_back({op, mesh});
    }
  }
  std::atomic<std::size_t> next{0};
  models::ThreadTeam team(threads_);
  team.run([&](int) {
    for (std::size_t i = next++; i < jobs.size(); i = next++) {
      const OpClass& op = *jobs[i].op;
      const SampleMesh& mesh = op.sampled.set.meshes[jobs[i].mesh];
      const models::WaferPlan plan = lower_alone(op.on(mesh), graph, op.op, machine_.sram);
      jobs[i].op->sampled.samples[jobs[i].mesh] = measure_calls(plan, machine_);
    }
  });
  for (const Job& job : jobs) job.op->measured.emplace_back(job.op->sampled.set.meshes[job.mesh], job.op->sampled.samples[job.mesh]);
}

bool KernelSampler::load(OpClass& op) const {
  const std::optional<CachedSamples> cached = cache_.load(op.key);
  if (!cached || cached->scale < 1 || cached->scale > largest_scale) return false;
  const SampleSet set = samples_of(op, cached->scale);
  const std::size_t calls = outline_calls(op.on(set.meshes.front()), op.alone).size();
  const auto whole = [calls](const std::vector<CallMeasurement>& sample) { return sample.size() == calls; };
  if (cached->samples.size() != set.meshes.size() || !std::all_of(cached->samples.begin(), cached->samples.end(), whole)) return false;
  op.scale = cached->scale;
  op.sampled = {set, cached->samples};
  op.source = SampleReport::Source::disk;
  return true;
}

void KernelSampler::sample(std::vector<OpClass>& classes, const TrainingGraph& graph) {
  std::vector<OpClass*> missing;
  for (OpClass& op : classes) {
    const auto known = memory_.find(op.key);
    if (known != memory_.end()) {
      op.sampled = known->second;
      op.source = SampleReport::Source::memory;
    } else if (!load(op)) {
      missing.push_back(&op);
    }
  }
  for (std::vector<OpClass*> open = missing; !open.empty();) {
    measure(open, graph);
    std::vector<OpClass*> again;
    for (OpClass* op : open)
      if (residual(op->sampled) > largest_residual && op->scale < largest_scale) {
        ++op->scale;
        again.push_back(op);
      }
    open = again;
  }
  reports_.clear();
  for (OpClass& op : classes) {
    SampleReport report{{}, op.key, op.source, op.sampled.set.meshes, residual(op.sampled), {}};
    if (op.source == SampleReport::Source::sampled) report.cache_failure = cache_.store(op.key, {op.scale, op.sampled.samples});
    reports_.push_back(std::move(report));
    memory_[op.key] = op.sampled;
  }
}

std::vector<KernelTime> KernelSampler::times(const LoweringSpec& spec, const TrainingGraph& graph) {
  const std::vector<int> phases = bank_phases(graph);
  std::vector<OpClass> classes;
  std::map<std::string, std::size_t> class_of_signature;
  std::vector<std::size_t> class_of_op;
  for (std::size_t op = 0; op < graph.ops.size(); ++op) {
    const auto [place, is_new] = class_of_signature.emplace(op_signature(graph, graph.ops[op], phases), classes.size());
    if (is_new) classes.push_back(make_class(spec, graph, op));
    class_of_op.push_back(place->second);
  }
  sample(classes, graph);
  for (const auto& [signature, index] : class_of_signature) reports_[index].op = signature;

  const SampleMesh mesh = mesh_of(spec);
  std::vector<std::vector<KernelTime>> by_class;
  for (const OpClass& op : classes) {
    const std::vector<CallOutline> calls = outline_calls(spec, op.alone);
    const std::vector<CallOutline> sampled = outline_calls(op.on(op.sampled.set.meshes.front()), op.alone);
    by_class.emplace_back();
    const double working = op.whole ? static_cast<double>(mesh.width()) * mesh.rows : working_pes(op.kind, mesh, spec.layout);
    for (std::size_t i = 0; i < calls.size(); ++i)
      by_class.back().push_back(kernel_time(extend(op.sampled, sampled_call(calls, i, sampled), mesh), mesh, working,
                                            op.whole ? 1.0 : true_places(calls[i], spec.layout)));
  }
  std::vector<KernelTime> times;
  for (const std::size_t index : class_of_op) times.insert(times.end(), by_class[index].begin(), by_class[index].end());
  return times;
}

}  // namespace wafersim::workloads
