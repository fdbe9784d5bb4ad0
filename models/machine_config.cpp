#include "models/machine_config.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <tuple>

#include "sim/config/reader.h"

namespace wafersim::models {
namespace {

using sim::Range;
using sim::Unit;

// Calls visit(key, field, range, unit, assumption) for every field; `assumption` is "" where the number has a source.
template <class Machine, class Visitor>
void for_each_field(Machine& m, Visitor&& visit) {
  const Range cycles{1, 1e6}, rate{1.0 / 64, 1024}, words{1, 1 << 20}, span{1, 1e15};
  visit("fabric.width", m.fabric.width, Range{1, 4096}, Unit::none, "");
  visit("fabric.height", m.fabric.height, Range{1, 4096}, Unit::none, "");
  visit("fabric.hop_cycles", m.fabric.hop_cycles, cycles, Unit::none, "");
  visit("fabric.ramp_cycles", m.fabric.ramp_cycles, cycles, Unit::none, "");
  visit("fabric.router_queue_words", m.fabric.router_queue_words, words, Unit::none, "queue of a color in a router: not public");
  visit("host_io.columns", m.host_io.columns, Range{0, 4095}, Unit::none, "");
  visit("host_io.rows", m.host_io.rows, Range{0, 4095}, Unit::none, "");
  visit("host_io.first_column", m.host_io.first_column, Range{0, 4095}, Unit::none, "");
  visit("host_io.first_row", m.host_io.first_row, Range{0, 4095}, Unit::none, "");
  visit("core.clock", m.core.clock, Range{1e3, 1e11}, Unit::hertz, "");
  visit("core.issue_cycles", m.core.issue_cycles, Range{0, 1e6}, Unit::none, "");
  visit("core.weight_issue_cycles", m.core.weight_issue_cycles, Range{0, 1e6}, Unit::none,
        "issue of the vector instruction that an arriving weight triggers: in hardware, its cycles are not public");
  visit("core.output_switch_cycles", m.core.output_switch_cycles, Range{0, 1e6}, Unit::none,
        "turning to a new output's accumulators: sources say 10-30 for a task switch");
  visit("core.task_switch_cycles", m.core.task_switch_cycles, Range{0, 1e6}, Unit::none, "sources say 10-30");
  visit("core.scalar_cycles", m.core.scalar_cycles, cycles, Unit::none, "integer move, add, compare-and-branch");
  visit("core.loop_cycles", m.core.loop_cycles, Range{0, 1e6}, Unit::none, "setting up a hardware loop");
  visit("core.accumulator_cache_bytes", m.core.accumulator_cache_bytes, Range{4, 1 << 20}, Unit::bytes,
        "size has a source; that fp32 accumulators beyond it halve the rate is assumed");
  visit("core.rate.half", m.core.rate.half, rate, Unit::none, "");
  visit("core.rate.single", m.core.rate.single, rate, Unit::none, "mixed adds of fp16 into fp32 at the rate of fp32 adds");
  visit("core.rate.mixed_fma", m.core.rate.mixed_fma, rate, Unit::none, "");
  visit("core.rate.single_mul", m.core.rate.single_mul, rate, Unit::none, "");
  visit("core.rate.single_fma", m.core.rate.single_fma, rate, Unit::none, "");
  visit("core.rate.half_max", m.core.rate.half_max, rate, Unit::none, "");
  visit("core.rate.single_max", m.core.rate.single_max, rate, Unit::none, "");
  visit("core.rate.convert", m.core.rate.convert, rate, Unit::none, "");
  visit("core.rate.irregular_stride", m.core.rate.irregular_stride, rate, Unit::none,
        "strides 4 and 7 mod 8: the documentation contradicts itself");
  visit("core.function.exp", m.core.function.exp, cycles, Unit::none, "polynomial on the core, cycles an element");
  visit("core.function.log", m.core.function.log, cycles, Unit::none, "polynomial on the core, cycles an element");
  visit("core.function.tanh", m.core.function.tanh, cycles, Unit::none, "polynomial on the core, cycles an element");
  visit("core.function.erf", m.core.function.erf, cycles, Unit::none, "polynomial on the core, cycles an element");
  visit("core.function.sin", m.core.function.sin, cycles, Unit::none, "polynomial on the core, cycles an element");
  visit("core.function.cos", m.core.function.cos, cycles, Unit::none, "polynomial on the core, cycles an element");
  visit("core.function.rsqrt", m.core.function.rsqrt, cycles, Unit::none, "polynomial on the core, cycles an element");
  visit("core.function.recip", m.core.function.recip, cycles, Unit::none, "polynomial on the core, cycles an element");
  visit("core.input_queue_words", m.core.input_queue_words, words, Unit::none, "");
  visit("core.output_queue_words", m.core.output_queue_words, words, Unit::none, "queues 0-5 of WSE-2 have a source, 6 and 7 are assumed");
  visit("sram.bytes", m.sram.bytes, Range{1024, 1 << 26}, Unit::bytes, "");
  visit("sram.instruction_bytes", m.sram.instruction_bytes, Range{1, 64}, Unit::bytes, "bytes of code an instruction takes");
  visit("sram.descriptor_bytes", m.sram.descriptor_bytes, Range{1, 64}, Unit::bytes, "bytes a descriptor takes");
  visit("io.bandwidth", m.io.bandwidth_override, span, Unit::bytes_per_second, "");
  visit("io.wafer_bandwidth", m.io.bandwidth, span, Unit::bytes_per_second, "");
  visit("io.channels_per_edge", m.io.channels_per_edge, Range{1, 4096}, Unit::none, "");
  visit("io.channel_row_pitch", m.io.channel_row_pitch, Range{1, 4096}, Unit::none, "");
  visit("io.latency", m.io.latency, Range{0, 1}, Unit::seconds, "MemoryX to edge and back");
  visit("io.edge_latency_cycles", m.io.edge_latency_cycles, Range{0, 1e6}, Unit::none, "from a channel to the row a word belongs to");
  visit("io.edge_queue_words", m.io.edge_queue_words, Range{0, 1 << 30}, Unit::none,
        "of each row of an edge, each way; 0: enough for the skew of the columns and the link's round trip");
  visit("memoryx.capacity", m.memoryx.capacity, span, Unit::bytes, "");
  visit("memoryx.bandwidth", m.memoryx.bandwidth, span, Unit::bytes_per_second, "");
  visit("memoryx.dram_capacity", m.memoryx.dram_capacity, span, Unit::bytes, "");
  visit("memoryx.dram_latency", m.memoryx.dram_latency, Range{0, 1}, Unit::seconds, "of an access to the store's DRAM");
  visit("memoryx.dram_page", m.memoryx.dram_page, Range{1, 1e9}, Unit::bytes, "bytes of the store's DRAM that are read together");
  visit("memoryx.flash_bandwidth", m.memoryx.flash_bandwidth, span, Unit::bytes_per_second, "of the store's flash: not public");
  visit("memoryx.flash_latency", m.memoryx.flash_latency, Range{0, 1}, Unit::seconds, "of an access to the store's flash");
  visit("memoryx.flash_page", m.memoryx.flash_page, Range{1, 1e9}, Unit::bytes, "bytes of the store's flash that are read together");
  visit("memoryx.optimizer_rate", m.memoryx.optimizer_rate, span, Unit::per_second, "parameter updates a second: not public");
  visit("memoryx.prefetch_blocks", m.memoryx.prefetch_blocks, Range{1, 1 << 20}, Unit::none,
        "sixteenths of a kernel call's words that MemoryX reads ahead of the wafer");
  visit("swarmx.fanout", m.swarmx.fanout, Range{2, 4096}, Unit::none, "");
  visit("swarmx.bandwidth", m.swarmx.bandwidth, span, Unit::bytes_per_second, "");
  visit("swarmx.latency", m.swarmx.latency, Range{0, 1}, Unit::seconds, "");
  const Range energy{0, 1e9};
  visit("energy.busy_cycle_pj", m.energy.busy_cycle_pj, energy, Unit::none, "");
  visit("energy.idle_cycle_pj", m.energy.idle_cycle_pj, energy, Unit::none, "a core that waits: a fifth of one that works");
  visit("energy.hop_pj", m.energy.hop_pj, energy, Unit::none, "a wavelet over a link: 0.1 pJ a bit, sources allow 0.05-0.15");
  visit("energy.link_word_pj", m.energy.link_word_pj, energy, Unit::none, "");
  visit("energy.dram_byte_pj", m.energy.dram_byte_pj, energy, Unit::none, "of the parameter store: not public");
  visit("energy.flash_byte_pj", m.energy.flash_byte_pj, energy, Unit::none, "of the parameter store: not public");
  visit("energy.system_power_w", m.energy.system_power_w, energy, Unit::none, "pumps, fans, conversion: not public");
  visit("energy.rated_power_w", m.energy.rated_power_w, energy, Unit::none, "");
}

struct Reading {
  sim::ConfigReader& reader;
  const std::string& prefix;

  void operator()(const char* key, int& field, Range range, Unit unit, const char*) const {
    field = static_cast<int>(reader.integer(prefix + key, range, field, unit));
  }
  void operator()(const char* key, double& field, Range range, Unit unit, const char*) const {
    field = reader.number(prefix + key, range, field, unit);
  }
  void operator()(const char* key, std::array<int, 8>& field, Range range, Unit, const char*) const {
    const auto values = reader.integers(prefix + key, range, std::vector<int>(field.begin(), field.end()));
    std::copy(values.begin(), values.end(), field.begin());
  }
};

}  // namespace

void read_machine(sim::ConfigReader& reader, const std::string& prefix, MachineSpec& machine) {
  for_each_field(machine, Reading{reader, prefix});
}

nlohmann::ordered_json machine_to_json(const MachineSpec& machine) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  const auto write = [&out](std::string key, const auto& field, Range, Unit, const char*) {
    const nlohmann::ordered_json value = field;
    if (key == "io.bandwidth" && value == 0.0) return;  // no override: absent, since a bandwidth of 0 is refused
    nlohmann::ordered_json* at = &out;
    for (auto dot = key.find('.'); dot != std::string::npos; dot = key.find('.')) {
      at = &(*at)[key.substr(0, dot)];
      key.erase(0, dot + 1);
    }
    (*at)[key] = value;
  };
  for_each_field(machine, write);
  return out;
}

std::vector<std::string> machine_keys() {
  std::vector<std::string> out;
  const MachineSpec machine;
  for_each_field(machine, [&out](const char* key, const auto&, Range, Unit, const char*) { out.emplace_back(key); });
  return out;
}

std::vector<Assumption> assumptions(const MachineSpec& machine) {
  std::vector<Assumption> out;
  for_each_field(machine, [&out](const char* key, const auto& field, Range, Unit, const char* text) {
    if (text[0] != '\0') out.push_back({key, nlohmann::ordered_json(field).dump(), text});
  });
  if (machine.name != "cs2")
    out.push_back(
        {"energy.busy_cycle_pj", nlohmann::json(machine.energy.busy_cycle_pj).dump(), "as WSE-2's core: that of this one is not public"});
  if (machine.name != "cs1") return out;
  out.push_back({"core.rate", "\"as wse2\"", "no public rate table of WSE-1; its memory rules and latencies are WSE-2's too"});
  // A user's own numbers are given, not assumed.
  const MachineSpec cs1 = machine_preset("cs1");
  if (machine.fabric.width == cs1.fabric.width && machine.fabric.height == cs1.fabric.height) {
    const std::string mesh = std::to_string(machine.fabric.width) + "x" + std::to_string(machine.fabric.height);
    out.push_back({"fabric.width, fabric.height", "\"" + mesh + "\"", "mesh of WSE-1 from its 400,000 advertised cores"});
  }
  if (machine.io.channels_per_edge == cs1.io.channels_per_edge)
    out.push_back({"io.channels_per_edge", std::to_string(machine.io.channels_per_edge), "one channel every 18 rows of WSE-1's edge"});
  const memoryx::MemoryXSpec &store = machine.memoryx, &preset = cs1.memoryx;
  for (const auto& [key, value, assumed] : {std::tuple{"memoryx.capacity", store.capacity, preset.capacity},
                                            std::tuple{"memoryx.dram_capacity", store.dram_capacity, preset.dram_capacity},
                                            std::tuple{"memoryx.bandwidth", store.bandwidth, preset.bandwidth}})
    if (value == assumed) out.push_back({key, nlohmann::json(value).dump(), "as CS-2's: no text gives a CS-1 a MemoryX"});
  return out;
}

}  // namespace wafersim::models
