#include "tools/wafersim/largest_report.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/trainer/prepared_run.h"
#include "tools/trainer/provenance.h"
#include "workloads/graph.h"
#include "workloads/mapping_advice.h"

namespace wafersim::tools {
namespace {

using nlohmann::ordered_json;
using workloads::Layout;

ordered_json tile_of(const Layout& layout, const workloads::ModelShape& shape) {
  return {{"tokens_per_pe", layout.tokens_per_pe}, {"features_per_pe", workloads::tile_rows(workloads::Features::residual, shape, layout)}};
}

ordered_json batch_to_json(const workloads::RunSpec& run, const workloads::TrainingGraph& graph) {
  const std::optional<Layout> layout = largest_batch_layout(run, run.model.shape, graph, run.machine);
  if (!layout) return nullptr;
  ordered_json out = {{"samples", std::int64_t{run.systems} * layout->batch},
                      {"of_tokens", layout->sequence},
                      {"configurable", std::min<std::int64_t>(workloads::largest_batch, workloads::largest_step / layout->sequence)},
                      {"lanes", layout->lanes},
                      {"samples_per_lane", layout->samples_per_lane}};
  out.update(tile_of(*layout, run.model.shape));
  return out;
}

ordered_json sequence_to_json(const workloads::RunSpec& run, const workloads::TrainingGraph& graph) {
  const std::optional<Layout> layout = longest_sequence_layout(run, run.model.shape, graph, run.machine);
  if (!layout) return nullptr;
  const int positions = run.model.shape.positions;
  ordered_json out = {{"tokens", std::min(layout->sequence, positions)},
                      {"by", layout->sequence < positions ? "sram" : "positions"},
                      {"sram_tokens", layout->sequence}};
  out.update(tile_of(*layout, run.model.shape));
  return out;
}

std::string batch_text(const ordered_json& batch) {
  const bool beyond = batch["samples"] > batch["configurable"];
  return beyond ? fmt::format("a step has at most {} (training.batch)", batch["configurable"].dump()) : "more in further micro-batches";
}

std::string tile_text(const ordered_json& of) {
  return fmt::format("{} tokens x {} features a PE", of["tokens_per_pe"].dump(), of["features_per_pe"].dump());
}

}  // namespace

ordered_json largest_to_json(const workloads::RunSpec& run) {
  const workloads::ModelShape& shape = run.model.shape;
  const workloads::TrainingGraph graph = workloads::differentiate(workloads::build_model(shape), workloads::least_kept(run, shape));
  const std::size_t parameters = workloads::parameter_table(shape).size();
  return {{"provenance", provenance(run)},
          {"machine", run.machine.name},
          {"model", run.model_name},
          {"dtype", sim::storage_name(run.dtype)},
          {"parameters", parameters},
          {"rectangle", {{"width", run.mapping.rectangle.width}, {"height", run.mapping.rectangle.height}}},
          {"systems", run.systems},
          {"memoryx", {{"bytes", stored_bytes(parameters)}, {"capacity", run.machine.memoryx.capacity}}},
          {"batch", batch_to_json(run, graph)},
          {"sequence", sequence_to_json(run, graph)}};
}

std::string largest_to_text(const ordered_json& largest) {
  const ordered_json &batch = largest["batch"], &sequence = largest["sequence"];
  std::string text = fmt::format("{} ({} parameters, {}) on {} x {} PEs of {} {}\n", largest["model"].get<std::string>(),
                                 largest["parameters"].dump(), largest["dtype"].get<std::string>(), largest["rectangle"]["width"].dump(),
                                 largest["rectangle"]["height"].dump(), largest["systems"].dump(), largest["machine"].get<std::string>());
  text += batch.is_null() ? "largest batch: not one sample of training.sequence tokens fits SRAM\n"
                          : fmt::format("largest batch: {} samples of {} tokens at once ({} lanes of {}; {}); {}\n",
                                        batch["samples"].dump(), batch["of_tokens"].dump(), batch["lanes"].dump(),
                                        batch["samples_per_lane"].dump(), tile_text(batch), batch_text(batch));
  if (sequence.is_null())
    text += "longest sequence: none fits SRAM\n";
  else if (sequence["by"] == "positions")
    text += fmt::format("longest sequence: {} tokens, the model's positions; SRAM would hold {} ({})\n", sequence["tokens"].dump(),
                        sequence["sram_tokens"].dump(), tile_text(sequence));
  else
    text += fmt::format("longest sequence: {} tokens, what SRAM holds ({})\n", sequence["tokens"].dump(), tile_text(sequence));
  const double bytes = largest["memoryx"]["bytes"].get<double>(), capacity = largest["memoryx"]["capacity"].get<double>();
  return text + fmt::format("MemoryX: {:.6g} of {:.6g} bytes{}\n", bytes, capacity, bytes > capacity ? ": the model does not fit" : "");
}

}  // namespace wafersim::tools
