#include "tools/trainer/report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "memoryx/memory_x.h"
#include "models/machine_sources.h"
#include "sim/error.h"
#include "tools/trainer/host.h"
#include "tools/trainer/provenance.h"
#include "tools/trainer/weights.h"
#include "workloads/call_outline.h"
#include "workloads/family.h"

namespace wafersim::tools {
namespace {

using nlohmann::ordered_json;

constexpr int schema = 1;
constexpr double tokens_a_parameter = 20;  // of a whole training run where training.tokens does not say

// Of a sum over steps: an integer where it is one.
ordered_json mean(std::uint64_t sum, int steps) {
  const auto n = static_cast<std::uint64_t>(steps);
  if (sum % n == 0) return sum / n;
  return static_cast<double>(sum) / steps;
}
ordered_json mean(double sum, int steps) {
  constexpr double exact = 0x1p53;
  return sum < exact ? mean(static_cast<std::uint64_t>(sum), steps) : ordered_json(sum / steps);
}

double share(double part, double whole, const char* what) {
  sim::require_invariant(part <= whole * (1 + 1e-12), what);
  return whole > 0 ? part / whole : 0;
}

ordered_json mapping_json(const PreparedRun& run) {
  const workloads::Layout& layout = run.lowering.layout;
  const int features = workloads::tile_rows(workloads::Features::residual, run.lowering.shape, layout);
  ordered_json out = {{"lanes", layout.lanes},
                      {"tokens_per_pe", layout.tokens_per_pe},
                      {"features_per_pe", features},
                      {"micro_batches", run.lowering.micro_batches},
                      {"recompute", workloads::recompute_to_json(run.lowering.recompute)},
                      {"rows", layout.rows},
                      {"columns_per_lane", layout.columns},
                      {"rows_per_sequence", layout.rows_per_sequence},
                      {"samples_per_lane", layout.samples_per_lane},
                      {"columns_per_head", layout.columns_per_head},
                      {"loss_outputs_per_pe", run.lowering.loss_outputs_per_pe}};
  // Fractions that are padding.
  const double slots = static_cast<double>(layout.lanes) * layout.rows * layout.tokens_per_pe * run.lowering.micro_batches;
  const double outputs = static_cast<double>(run.lowering.chunks()) * layout.columns * run.lowering.loss_outputs_per_pe;
  out["padding"] = {{"token_slots", 1 - static_cast<double>(run.training.tokens()) / run.spec.systems / slots},
                    {"features", 1 - run.lowering.shape.width / (static_cast<double>(layout.columns) * features)},
                    {"vocabulary", 1 - run.lowering.shape.vocabulary / outputs}};
  return out;
}

constexpr auto reduce = static_cast<std::size_t>(models::Activity::reduce);

// Of the linears by what they compute, the unembedding's included; attention's; linears and attention computed again; and what norms and
// activations add.
ordered_json macs_json(const Breakdown& breakdown) {
  ordered_json out;
  for (const char* key : {"forward", "input_gradient", "weight_gradient", "recompute", "attention", "attention_gradient", "other"})
    out[key] = 0;
  std::map<std::string, double> sums;
  double total = 0;
  for (const BreakdownRow& row : breakdown.rows()) {
    const bool linear = row.kernel == "linear" || row.kernel == "loss", attention = row.kernel == "attention";
    const bool again = attention && row.phase == "recompute";
    sums[linear || again ? row.phase : attention ? (row.phase == "forward" ? "attention" : "attention_gradient") : "other"] += row.macs;
    total += row.macs;
  }
  for (const auto& [key, sum] : sums) out[key] = mean(sum, breakdown.steps());
  out["total"] = mean(total, breakdown.steps());
  return out;
}

// waits: of sampled runs, cycles that a kernel took longer than its own by cause.
ordered_json breakdown_json(const Breakdown& breakdown, bool sampled) {
  ordered_json out = ordered_json::array();
  const int steps = breakdown.steps();
  for (const BreakdownRow& row : breakdown.rows()) {
    ordered_json stalls = ordered_json::object();
    for (std::size_t a = models::first_stall; a + 1 < models::activities; ++a)
      stalls[models::activity_names[a]] = mean(row.pe_cycles[a], steps);
    out.push_back({{"layer", row.layer < 0 ? ordered_json() : ordered_json(row.layer)},
                   {"phase", row.phase},
                   {"kernel", row.kernel},
                   {"calls", row.calls},
                   {"cycles", mean(row.cycles, steps)},
                   {"busy", mean(models::busy_cycles(row.pe_cycles), steps)},
                   {"reduce", mean(row.pe_cycles[reduce], steps)},
                   {"stalls", stalls},
                   {"idle", mean(row.pe_cycles.back(), steps)},
                   {"macs", mean(row.macs, steps)},
                   {"bound_cycles", row.bound_cycles},
                   {"bound", workloads::bound_to_json(row.bound)},
                   {"bound_by", row.bound.by()},
                   {"closed_form_cycles", row.closed_form_cycles}});
    if (!sampled) continue;
    for (int cause = 0; cause < models::wait_causes; ++cause)
      out.back()["waits"][models::name(static_cast<models::WaitCause>(cause))] = row.waits[static_cast<std::size_t>(cause)] / steps;
  }
  return out;
}

// Stalls of a sampled link are not told apart from the kernels' waits.
ordered_json counters_json(const memoryx::LinkCounters& counters, int steps, bool sampled) {
  ordered_json out = {{"words", mean(counters.words, steps)}, {"busy_cycles", mean(counters.busy_cycles, steps)}};
  if (sampled) return out;
  out["credit_stall_cycles"] = mean(counters.credit_stall_cycles, steps);
  out["update_wait_cycles"] = mean(counters.update_wait_cycles, steps);
  out["store_wait_cycles"] = mean(counters.store_wait_cycles, steps);
  return out;
}

ordered_json link_json(const std::vector<memoryx::LinkCounters>& channels, const StepTotals& totals, bool sampled) {
  memoryx::LinkCounters sum;
  ordered_json each = ordered_json::array();
  for (const memoryx::LinkCounters& c : channels) {
    sum += c;
    each.push_back(counters_json(c, totals.steps, sampled));
  }
  const double time = static_cast<double>(totals.cycles) * static_cast<double>(channels.size());
  ordered_json out = counters_json(sum, totals.steps, sampled);
  out["bytes"] = mean(4 * sum.words, totals.steps);
  out["utilization"] = share(static_cast<double>(sum.busy_cycles), time, "the I/O link is used at most all the time");
  out["channels"] = each;
  return out;
}

ordered_json store_json(const models::TierUse& tier, double cycles) {
  return {{"bytes", tier.bytes},
          {"busy_cycles", tier.busy},
          {"utilization", share(tier.busy, cycles, "a memory is busy at most all the time")}};
}

ordered_json links_json(const RunResult& result, const PreparedRun& run) {
  const StepTotals& totals = result.totals;
  const bool sampled = result.sampled.has_value();
  const double time = static_cast<double>(totals.cycles), links = 4.0 * static_cast<double>(run.pes());
  ordered_json fabric = {{"hops", mean(totals.hops, totals.steps)},
                         {"mean_utilization", share(totals.hops, links * time, "fabric links carry at most a wavelet a cycle")}};
  std::uint64_t most = 0;
  for (std::size_t k = 0; k < totals.flits.size(); ++k)
    if (k % fabric::directions != fabric::ramp) most = std::max(most, totals.flits[k]);
  if (!sampled) fabric["max_utilization"] = share(static_cast<double>(most), time, "a fabric link carries at most a wavelet a cycle");
  ordered_json out = {{"in", link_json(totals.in, totals, sampled)}, {"out", link_json(totals.out, totals, sampled)}, {"fabric", fabric}};
  if (sampled) {
    const double cycles = result.sampled->store_cycles;
    out["store"] = {{"dram", store_json(result.sampled->dram, cycles)}, {"flash", store_json(result.sampled->flash, cycles)}};
  }
  return out;
}

ordered_json memory_json(const PreparedRun& run) {
  const models::MachineSpec& machine = run.spec.machine;
  ordered_json regions = ordered_json::array();
  for (const models::SramMap::Region& region : run.sram.regions) {
    ordered_json stages = ordered_json::array();
    for (const models::ArrayLifetime::Stage& stage : region.stages) stages.push_back({stage.from, stage.bytes});
    regions.push_back(
        {{"name", region.name}, {"address", region.address}, {"bytes", region.bytes}, {"stages", stages}, {"until", region.until}});
  }
  return {{"sram_peak_bytes_per_pe", run.sram.peak_bytes},
          {"sram_bytes_per_pe", machine.sram.bytes},
          {"memoryx_bytes", 16 * run.parameters},  // weight, gradient and two moments, fp32
          {"memoryx_capacity_bytes", machine.memoryx.capacity},
          {"edge_queue_words", run.edge_queue_words},
          {"sram", regions}};
}

// What PEs did with their time, as fractions of it.
ordered_json activity_json(const Breakdown& breakdown) {
  std::array<double, models::activities> sums{};
  for (const BreakdownRow& row : breakdown.rows())
    for (std::size_t a = 0; a < models::activities; ++a) sums[a] += row.pe_cycles[a];
  const double time = std::accumulate(sums.begin(), sums.end(), 0.0);
  ordered_json out = {{"busy", models::busy_cycles(sums) / time}, {"reduce", sums[reduce] / time}};
  for (std::size_t a = models::first_stall; a < models::activities; ++a) out[models::activity_names[a]] = sums[a] / time;
  return out;
}

ordered_json step_json(const PreparedRun& run, const RunResult& result, double seconds) {
  const workloads::Bound& bound = run.bound;
  return {{"cycles", mean(result.totals.cycles, result.totals.steps)},
          {"seconds", seconds},
          {"last_update_cycles", result.last_update_cycles},
          {"bound_cycles", step_bound(bound, result)},
          {"bound_by", workloads::name(waits_for_update(result, result.steps.size() - 1) ? bound.by : bound.skipped_by)},
          {"bound",
           {{"forward", workloads::bound_to_json(bound.forward.needs)},
            {"backward", workloads::bound_to_json(bound.backward.needs)},
            {"optimizer", bound.optimizer_cycles}}},
          {"peaks", {{"macs_per_cycle", bound.macs_per_cycle}, {"link_bytes_per_cycle", bound.link_bytes_per_cycle}}}};
}

ordered_json throughput_json(const PreparedRun& run, double seconds) {
  const double tokens = static_cast<double>(run.training.tokens()) / seconds;
  const double flops = workloads::model_flops(run.lowering.shape, run.training.sequence) * tokens;
  const fabric::Rectangle& part = run.spec.mapping.rectangle;
  const double peak = 2.0 * peak_rate(run.spec) * run.spec.machine.core.clock * part.width * part.height * run.spec.systems;
  return {{"samples_per_second", run.training.batch / seconds}, {"tokens_per_second", tokens}, {"model_flops_utilization", flops / peak}};
}

// Of all systems. Where the store is not simulated (wavelet), the bytes of one system's link and of the update count once in DRAM.
models::EnergyEvents energy_events(const PreparedRun& run, const RunResult& result, double seconds) {
  const StepTotals& totals = result.totals;
  const double steps = totals.steps, systems = run.spec.systems;
  const models::MachineSpec& machine = run.spec.machine;
  models::EnergyEvents events;
  events.seconds = systems * seconds;
  double all = systems * seconds * machine.core.clock * machine.fabric.width * machine.fabric.height;
  for (const BreakdownRow& row : result.breakdown.rows()) events.busy_cycles += systems * models::busy_cycles(row.pe_cycles) / steps;
  events.idle_cycles = all - events.busy_cycles;
  events.hops = systems * totals.hops / steps;
  for (const auto* channels : {&totals.in, &totals.out})
    for (const memoryx::LinkCounters& channel : *channels) events.link_words += systems * static_cast<double>(channel.words) / steps;
  if (result.sampled) {
    events.dram_bytes = result.sampled->dram.bytes;
    events.flash_bytes = result.sampled->flash.bytes;
  } else {
    events.dram_bytes =
        4 * events.link_words / systems + memoryx::update_bytes(run.training.update.optimizer.kind) * static_cast<double>(run.parameters);
  }
  return events;
}

ordered_json energy_json(const PreparedRun& run, const RunResult& result, double seconds) {
  const models::EnergySpec& spec = run.spec.machine.energy;
  const models::Energy energy = models::energy_of(spec, energy_events(run, result, seconds));
  const double joules = energy.total(), rated = spec.rated_power_w * run.spec.systems;
  return {{"joules_per_step", joules},
          {"joules_per_token", joules / static_cast<double>(run.training.tokens())},
          {"parts",
           {{"cores_busy", energy.busy},
            {"cores_idle", energy.idle},
            {"fabric", energy.fabric},
            {"io_link", energy.link},
            {"parameter_store", energy.store},
            {"system", energy.system}}},
          {"average_watts", joules / seconds},
          {"rated_watts", rated},
          {"of_rated", joules / seconds / rated}};
}

// Of a training run over this many tokens at the measured step.
ordered_json whole_training_json(const PreparedRun& run, double tokens, double seconds, double joules) {
  const double steps = std::ceil(tokens / static_cast<double>(run.training.tokens()));
  return {{"tokens", tokens}, {"steps", steps}, {"days", steps * seconds / 86400}, {"megawatt_hours", steps * joules / 3.6e9}};
}

ordered_json ignored_json(const workloads::HfConfig& model) {
  ordered_json out = ordered_json::array();
  for (const workloads::IgnoredKey& ignored : model.ignored) out.push_back(text(ignored));
  return out;
}

ordered_json assumptions_json(const models::MachineSpec& machine) {
  ordered_json out = ordered_json::array();
  for (const models::MachineField& field : models::assumptions(machine))
    out.push_back({{"key", field.key}, {"value", ordered_json::parse(field.value)}, {"unit", field.unit}, {"text", field.text}});
  return out;
}

// How the kernels were timed.
ordered_json samples_json(const SampledDetails& details) {
  ordered_json out = ordered_json::array();
  for (const workloads::SampleReport& sample : details.samples) {
    ordered_json meshes = ordered_json::array();
    for (const workloads::SampleMesh& mesh : sample.meshes) meshes.push_back({mesh.width(), mesh.rows});
    out.push_back({{"op", sample.op}, {"meshes", meshes}, {"residual", sample.residual}});
  }
  return out;
}

ordered_json host_json(const PreparedRun& run, const RunResult& result) {
  double simulated = 0;
  for (const StepRecord& step : result.steps) simulated += static_cast<double>(step.cycles);
  ordered_json out = {{"wall_seconds", result.host_seconds},
                      {"peak_rss_bytes", peak_rss_bytes()},
                      {"pe_cycles_per_second", static_cast<double>(run.pes()) * simulated / result.host_seconds},
                      {"threads", run.spec.threads},
                      {"command", command_line()}};
  if (!result.sampled) return out;
  int cached = 0;
  ordered_json failures = ordered_json::array();
  for (const workloads::SampleReport& sample : result.sampled->samples) {
    cached += sample.source != workloads::SampleReport::Source::sampled;
    if (!sample.cache_failure.empty()) failures.push_back(sample.cache_failure);
  }
  out["kernels_sampled"] = static_cast<int>(result.sampled->samples.size()) - cached;
  out["kernels_from_cache"] = cached;
  if (!failures.empty()) out["cache_failures"] = failures;
  return out;
}

}  // namespace

ordered_json make_report(const PreparedRun& run, const RunResult& result) {
  const StepTotals& totals = result.totals;
  const double seconds = static_cast<double>(totals.cycles) / totals.steps / run.spec.machine.core.clock;
  ordered_json losses = ordered_json::array(), norms = ordered_json::array();
  if (run.spec.numerics)
    for (const StepRecord& step : result.steps) {
      losses.push_back(step.loss);
      norms.push_back(step.gradient_norm);
    }
  ordered_json report;
  report["schema"] = schema;
  report["version"] = version();
  report["provenance"] = provenance(run.spec);
  report["machine"] = run.spec.machine.name;
  report["systems"] = run.spec.systems;
  report["model"] = run.spec.model_name;
  report["parameters"] = run.parameters;
  report["fidelity"] = workloads::name(run.spec.fidelity);
  report["numerics"] = run.spec.numerics ? "on" : "off";
  report["dtype"] = sim::storage_name(run.spec.dtype);
  report["mesh"] = {{"width", run.width()}, {"height", run.height()}, {"clock_hz", run.spec.machine.core.clock}};
  report["mapping"] = mapping_json(run);
  report["steps"] = result.steps.size();
  report["loss"] = losses;
  report["gradient_norm"] = norms;
  report["skipped_steps"] = std::count_if(result.steps.begin(), result.steps.end(), [](const StepRecord& s) { return s.skipped; });
  report["step"] = step_json(run, result, seconds);
  report["throughput"] = throughput_json(run, seconds);
  report["activity"] = activity_json(result.breakdown);
  report["energy"] = energy_json(run, result, seconds);
  report["whole_training"] = whole_training_json(
      run, run.spec.training.tokens > 0 ? run.spec.training.tokens : tokens_a_parameter * static_cast<double>(run.parameters), seconds,
      report["energy"]["joules_per_step"].get<double>());
  report["breakdown"] = breakdown_json(result.breakdown, result.sampled.has_value());
  report["macs"] = macs_json(result.breakdown);
  report["links"] = links_json(result, run);
  report["memory"] = memory_json(run);
  if (result.sampled) report["samples"] = samples_json(*result.sampled);
  if (result.sampled && !result.sampled->sensitivity.empty())
    report["sensitivity"] = sensitivity_json(result.sampled->sensitivity, result.sampled->step_seconds);
  if (result.store) report["digests"] = digests(*result.store);
  report["host"] = host_json(run, result);
  report["ignored"] = ignored_json(run.spec.model);
  report["assumptions"] = assumptions_json(run.spec.machine);
  return report;
}

}  // namespace wafersim::tools
