#include "workloads/sampling/sample_key.h"

#include <fmt/format.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>

#include "models/machine_config.h"
#include "sim/sha256.h"

namespace wafersim::workloads {
namespace {

constexpr int schema = 3;  // changes with what a cache file holds and with what a core or router does without a constant of its own

using Bytes = std::vector<std::uint8_t>;

void append(Bytes& out, const std::string& text) { out.insert(out.end(), text.begin(), text.end()); }

void append_streams(Bytes& out, const models::WaferPlan& plan) {
  using Kind = memoryx::StreamValue::Kind;
  for (const models::KernelCall& call : plan.calls)
    for (const memoryx::StreamWord& word : call.stream.in) {
      const bool east = word.port.side == memoryx::Port::Side::east;
      append(out, fmt::format("{}{},{},{}{};", east ? 'e' : 'w', word.port.row, word.color, word.packed() ? 'p' : '-',
                              word.low.kind == Kind::start || word.low.kind == Kind::word ? word.low.index : 0));
    }
}

}  // namespace

std::string op_signature(const TrainingGraph& graph, const TrainingOp& op, const std::vector<int>& phases) {
  std::string text = name(op.kind);
  for (const auto& tensors : {op.inputs, op.outputs}) {
    for (const int t : tensors)
      text += fmt::format(" {}@{}", name(graph.tensors[static_cast<std::size_t>(t)].features), phases[static_cast<std::size_t>(t)]);
    text += " ->";
  }
  for (const auto& parameters : {op.parameters, op.gradients})
    for (const int p : parameters) text += p < 0 ? " none" : " parameter";
  return text;
}

std::string sample_key(const models::WaferPlan& plan, const SampleSet& set, const models::MachineSpec& machine) {
  nlohmann::ordered_json parts = models::machine_to_json(machine);
  for (const char* elsewhere : {"width", "height"}) parts["fabric"].erase(elsewhere);
  parts["core"].erase("clock");
  Bytes bytes;
  append(bytes, fmt::format("{}\n{}\n{}\n{}\n", schema, parts["core"].dump(), parts["fabric"].dump(), parts["sram"].dump()));
  for (const SampleMesh& m : set.meshes)
    append(bytes, fmt::format("{} {} {} {} {} {}\n", m.columns, m.rows, m.lanes, m.ring, m.sequences, m.chunks));
  for (const models::Program& program : plan.programs) append(bytes, models::to_json(program));
  for (const models::WaferPlan::MemoryImage& image : plan.memory) {
    append(bytes, fmt::format("\n{}\n", image.address));
    bytes.insert(bytes.end(), image.bytes.begin(), image.bytes.end());
  }
  bytes.push_back('\n');
  for (const std::int32_t word : plan.pe_words) append(bytes, fmt::format("{},", word));
  append_streams(bytes, plan);
  return sim::sha256_hex(std::as_bytes(std::span(bytes)));
}

}  // namespace wafersim::workloads
