#include "tools/wafersim/plan_report.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/trainer/provenance.h"
#include "tools/wafersim/plan_tables.h"
#include "workloads/call_traffic.h"
#include "workloads/closed_form.h"
#include "workloads/graph.h"
#include "workloads/kernels/lower.h"
#include "workloads/link_load.h"
#include "workloads/roofline.h"

namespace wafersim::tools {
namespace {

using nlohmann::ordered_json;
using workloads::CallTraffic;
using workloads::Mapping;
using workloads::RunSpec;

ordered_json mapping_to_json(const Mapping& mapping) {
  const workloads::Layout& layout = mapping.layout;
  ordered_json out = {{"lanes", layout.lanes},
                      {"columns", layout.columns},
                      {"rows", layout.rows},
                      {"columns_per_head", layout.columns_per_head},
                      {"samples_per_lane", layout.samples_per_lane},
                      {"rows_per_sequence", layout.rows_per_sequence},
                      {"tokens_per_pe", mapping.tokens_per_pe},
                      {"features_per_pe", mapping.features_per_pe},
                      {"loss_outputs_per_pe", mapping.loss_outputs_per_pe},
                      {"micro_batches", mapping.micro_batches},
                      {"recompute", workloads::recompute_to_json(mapping.recompute)},
                      {"estimated_cycles", mapping.estimated_cycles}};
  out["padding"] = {
      {"token_slots", mapping.padding.token_slots}, {"features", mapping.padding.features}, {"vocabulary", mapping.padding.vocabulary}};
  out["rejected"] = ordered_json::array();
  for (const Mapping::Rejected& other : mapping.rejected)
    out["rejected"].push_back({{"lanes", other.lanes},
                               {"tokens_per_pe", other.tokens_per_pe},
                               {"features_per_pe", other.features_per_pe},
                               {"loss_outputs_per_pe", other.loss_outputs_per_pe},
                               {"micro_batches", other.micro_batches},
                               {"recompute", workloads::recompute_to_json(other.recompute)},
                               {"estimated_cycles", other.estimated_cycles},
                               {"reason", other.reason}});
  return out;
}

ordered_json sram_to_json(const models::SramMap& sram, int capacity) {
  ordered_json out = {{"bytes", capacity}, {"peak_bytes", sram.peak_bytes}, {"regions", ordered_json::array()}};
  for (const models::SramMap::Region& region : sram.regions)
    out["regions"].push_back({{"name", region.name}, {"address", region.address}, {"bytes", region.bytes}, {"at_peak", region.at_peak}});
  return out;
}

ordered_json bound_to_json(const workloads::Bound& bound) {
  return {{"cycles", bound.cycles},
          {"by", workloads::name(bound.by)},
          {"forward", workloads::bound_to_json(bound.forward.needs)},
          {"backward", workloads::bound_to_json(bound.backward.needs)},
          {"optimizer", bound.optimizer_cycles},
          {"updates_wait_for_the_last_gradient", bound.updates_wait},
          {"macs", bound.forward.work.macs + bound.backward.work.macs},
          {"macs_per_cycle", bound.macs_per_cycle},
          {"link_bytes_per_cycle", bound.link_bytes_per_cycle}};
}

// What the calls put on the link: of a run by wavelets counted in its streams, else, where these are too long to make, from their lengths,
// which do not tell padding apart.
std::vector<CallTraffic> traffic_of_calls(const RunSpec& run, const workloads::LoweringSpec& spec, const workloads::TrainingGraph& graph,
                                          const memoryx::LinkTiming& link) {
  std::vector<CallTraffic> traffic;
  if (run.fidelity == workloads::Fidelity::wavelet) {
    const models::WaferPlan plan = workloads::lower(spec, graph, run.machine.core, run.machine.sram);
    for (const models::KernelCall& call : plan.calls) traffic.push_back(workloads::traffic_of(call.stream, link));
    return traffic;
  }
  const workloads::LinkLoads loads(spec, link);
  for (const workloads::CallOutline& call : workloads::outline_calls(spec, graph))
    traffic.push_back(workloads::traffic_of(loads.of(call, {1, 0}), link));
  return traffic;
}

// Calls with their streams, and the sums.
void add_calls(ordered_json& out, const RunSpec& run, const workloads::LoweringSpec& spec, const workloads::TrainingGraph& graph) {
  const memoryx::LinkTiming link = memoryx::make_link_timing(run.machine.io, run.machine.core.clock, spec.layout.rows);
  const std::vector<workloads::CallOutline> calls = workloads::outline_calls(spec, graph);
  const std::vector<CallTraffic> traffic = traffic_of_calls(run, spec, graph, link);
  CallTraffic all;
  double closed_forms = 0;
  out["traffic"] = ordered_json::object();
  out["calls"] = ordered_json::array();
  for (std::size_t k = 0; k < calls.size(); ++k) {
    all.words_in += traffic[k].words_in;
    all.words_out += traffic[k].words_out;
    all.padding_in += traffic[k].padding_in;
    all.padding_out += traffic[k].padding_out;
    const double closed_form = workloads::closed_form_cycles(calls[k], spec, run.machine);
    closed_forms += closed_form;
    out["calls"].push_back({{"kernel", calls[k].kernel},
                            {"phase", calls[k].phase},
                            {"layer", calls[k].layer},
                            {"closed_form_cycles", closed_form},
                            {"words_in", traffic[k].words_in},
                            {"words_out", traffic[k].words_out},
                            {"link_cycles_in", traffic[k].cycles_in},
                            {"link_cycles_out", traffic[k].cycles_out}});
  }
  const auto times = static_cast<std::uint64_t>(spec.micro_batches);
  for (std::uint64_t* words : {&all.words_in, &all.words_out, &all.padding_in, &all.padding_out}) *words *= times;
  out["closed_form_cycles"] = closed_forms * spec.micro_batches;
  out["traffic"] = {
      {"words_in", all.words_in}, {"words_out", all.words_out}, {"bytes_in", 4 * all.words_in}, {"bytes_out", 4 * all.words_out}};
  if (run.fidelity != workloads::Fidelity::wavelet) return;
  out["traffic"]["padding_words_in"] = all.padding_in;
  out["traffic"]["padding_words_out"] = all.padding_out;
}

// How many layers compute their activations again.
std::string again_text(const ordered_json& recompute) {
  if (recompute.is_array()) return std::to_string(recompute.size());
  return recompute.get<bool>() ? "all" : "none";
}

std::string mapping_table(const ordered_json& mapping) {
  const auto percent = [&](const char* key) { return 100 * mapping["padding"][key].get<double>(); };
  std::string text = fmt::format(
      "mapping: lanes {}, each of {} columns x {} rows and {} samples; {} tokens x {} features a PE\n"
      "         a head takes {} columns, a sequence {} rows; the loss takes {} vocabulary entries a PE at a time\n"
      "         {} micro-batches a step; layers that compute their activations again: {}\n"
      "         about {} cycles a step by the closed forms\n"
      "padding: {:.1f} % of token slots, {:.1f} % of features, {:.1f} % of the vocabulary\n",
      mapping["lanes"].dump(), mapping["columns"].dump(), mapping["rows"].dump(), mapping["samples_per_lane"].dump(),
      mapping["tokens_per_pe"].dump(), mapping["features_per_pe"].dump(), mapping["columns_per_head"].dump(),
      mapping["rows_per_sequence"].dump(), mapping["loss_outputs_per_pe"].dump(), mapping["micro_batches"].dump(),
      again_text(mapping["recompute"]), integer(mapping["estimated_cycles"]), percent("token_slots"), percent("features"),
      percent("vocabulary"));
  if (mapping["rejected"].empty()) return text + "rejected: nothing else was possible\n";
  text += fmt::format("\n{:<10}{:>6}{:>5}{:>5}{:>6}{:>7}{:>7}{:>14}  {}\n", "rejected", "lanes", "t", "h", "loss", "micro", "again",
                      "cycles", "because");
  for (const ordered_json& other : mapping["rejected"])
    text += fmt::format("{:<10}{:>6}{:>5}{:>5}{:>6}{:>7}{:>7}{:>14}  {}\n", "", other["lanes"].dump(), other["tokens_per_pe"].dump(),
                        other["features_per_pe"].dump(), other["loss_outputs_per_pe"].dump(), other["micro_batches"].dump(),
                        again_text(other["recompute"]), integer(other["estimated_cycles"]), other["reason"].get<std::string>());
  return text;
}

std::string bound_table(const ordered_json& bound) {
  std::string text = fmt::format("bound: {} cycles a step, by {}\n{:<12}{:>14}{:>14}{:>14}{:>16}{:>18}\n", integer(bound["cycles"]),
                                 bound["by"].get<std::string>(), "", "compute", "SRAM", "fabric", "weight stream", "gradient stream");
  for (const char* phase : {"forward", "backward"}) {
    const ordered_json& needs = bound[phase];
    text += fmt::format("{:<12}{:>14}{:>14}{:>14}{:>16}{:>18}\n", phase, integer(needs["compute"]), integer(needs["sram"]),
                        integer(needs["fabric"]), integer(needs["weight_stream"]), integer(needs["gradient_stream"]));
  }
  const bool waits = bound["updates_wait_for_the_last_gradient"].get<bool>();
  return text +
         fmt::format("{:<12}{:>14}  {}\n", "optimizer", integer(bound["optimizer"]),
                     waits ? "from the last gradient on, beside the next step's forward" : "each tensor when its gradient is complete");
}

}  // namespace

ordered_json plan_to_json(const RunSpec& run, const Mapping& mapping) {
  const workloads::ModelShape& shape = run.model.shape;
  const workloads::LoweringSpec spec = workloads::lowering_spec(mapping, run, shape);
  const workloads::TrainingGraph graph = workloads::differentiate(workloads::build_model(shape), spec.recompute);
  ordered_json out = {
      {"provenance", provenance(run)}, {"machine", run.machine.name}, {"model", run.model_name}, {"dtype", sim::storage_name(run.dtype)}};
  out["parameters"] = workloads::parameter_table(shape).size();
  out["rectangle"] = {{"width", mapping.layout.lanes * mapping.layout.columns}, {"height", mapping.layout.rows}};
  out["mapping"] = mapping_to_json(mapping);
  out["sram"] = sram_to_json(mapping.sram, run.machine.sram.bytes);
  add_calls(out, run, spec, graph);
  out["kernel_switch_cycles"] = workloads::kernel_switch_cycles(mapping.layout, run.machine);
  out["bound"] = bound_to_json(workloads::bound_step(spec, graph, run.machine, run.training.update));
  return out;
}

std::string plan_to_text(const ordered_json& plan, bool full) {
  return fmt::format("{} ({} parameters, {}) on {} x {} PEs of a {}\n", plan["model"].get<std::string>(), plan["parameters"].dump(),
                     plan["dtype"].get<std::string>(), plan["rectangle"]["width"].dump(), plan["rectangle"]["height"].dump(),
                     plan["machine"].get<std::string>()) +
         mapping_table(plan["mapping"]) + (full ? sram_map(plan["sram"]) : sram_groups(plan["sram"])) + "\n" +
         (full ? call_list(plan["calls"]) : call_groups(plan["calls"])) + traffic_text(plan) + bound_table(plan["bound"]);
}

}  // namespace wafersim::tools
