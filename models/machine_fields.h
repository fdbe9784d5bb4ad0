#pragma once
// The table of a machine's numbers: dotted key, allowed range, unit and who says the number of a CS-2. It serves reading and writing
// (machine_config.cpp) and the list of sources (machine_sources.cpp, which holds where a CS-1 and a CS-3 differ).

#include "models/machine.h"
#include "sim/config/reader.h"

namespace wafersim::models {

// A public text that says the number, or, assumed, what the number is and why it is a guess.
struct Source {
  const char* text;
  bool assumed;
};
constexpr Source says(const char* text) { return {text, false}; }
constexpr Source assumed(const char* text) { return {text, true}; }

struct FieldUnit {
  sim::Unit parsed;  // by a configuration
  const char* word;  // where that is none: a configuration has plain numbers of these
};
constexpr FieldUnit counted(const char* word) { return {sim::Unit::none, word}; }
constexpr FieldUnit measured(sim::Unit unit) { return {unit, ""}; }

struct Field {
  sim::Range range;
  FieldUnit unit;
  Source source;
};

// Calls visit(key, number, Field) for every number of the machine.
template <class Machine, class Visitor>
void for_each_field(Machine& m, Visitor&& visit) {
  using sim::Range;
  constexpr Range side{1, 4096}, offset{0, 4095}, some_cycles{1, 1e6}, any_cycles{0, 1e6}, rate{1.0 / 64, 1024}, places{1, 1 << 20};
  constexpr Range span{1, 1e15}, latency{0, 1}, page{1, 1e9}, code{1, 64}, energy{0, 1e9};
  constexpr FieldUnit pes = counted("PEs"), columns = counted("columns"), rows = counted("rows"), cycles = counted("cycles");
  constexpr FieldUnit words = counted("words"), channels = counted("channels"), calls = counted("sixteenths of a call");
  constexpr FieldUnit a_cycle = counted("elements/cycle"), an_element = counted("cycles/element"), children = counted("children");
  constexpr FieldUnit pj = counted("pJ"), watt = counted("W");
  constexpr FieldUnit hertz = measured(sim::Unit::hertz), bytes = measured(sim::Unit::bytes), seconds = measured(sim::Unit::seconds);
  constexpr FieldUnit bytes_per_second = measured(sim::Unit::bytes_per_second), per_second = measured(sim::Unit::per_second);

  constexpr Source dimensions = says("SDK documentation: --fabric-dims of WSE-2 757,996, of WSE-3 762,1172");
  constexpr Source memcpy_frame = says("SDK documentation: memcpy takes 7 columns and 2 rows, programs start at 4,1");
  constexpr Source rates = says("SDK documentation: elements a cycle of vector instructions, WSE-2 and WSE-3");
  constexpr Source polynomial = assumed("polynomial on the core: its cycles are not public");
  constexpr Source store = assumed("of the parameter store: not public");

  visit("fabric.width", m.fabric.width, {side, pes, dimensions});
  visit("fabric.height", m.fabric.height, {side, pes, dimensions});
  visit("fabric.hop_cycles", m.fabric.hop_cycles, {some_cycles, cycles, says("HPDC'24: a cycle a hop")});
  visit("fabric.ramp_cycles", m.fabric.ramp_cycles, {some_cycles, cycles, says("HPDC'24: T_R about 2, each way")});
  visit("fabric.router_queue_words", m.fabric.router_queue_words, {places, words, assumed("queue of a color in a router: not public")});
  visit("host_io.columns", m.host_io.columns, {offset, columns, memcpy_frame});
  visit("host_io.rows", m.host_io.rows, {offset, rows, memcpy_frame});
  visit("host_io.first_column", m.host_io.first_column, {offset, columns, memcpy_frame});
  visit("host_io.first_row", m.host_io.first_row, {offset, rows, memcpy_frame});
  visit("core.clock", m.core.clock,
        {{1e3, 1e11}, hertz, says("timing scripts of the SDK's examples, HPDC'24; Hot Chips 34 and WaferLLM say 1.1 GHz")});
  visit("core.issue_cycles", m.core.issue_cycles, {any_cycles, cycles, says("vendor's trace of SUMMA: 15 cycles for 14 fp32 fmacs")});
  visit("core.weight_issue_cycles", m.core.weight_issue_cycles,
        {any_cycles, cycles, assumed("issue of the vector instruction that an arriving weight triggers: in hardware, cycles not public")});
  visit("core.output_switch_cycles", m.core.output_switch_cycles,
        {any_cycles, cycles, assumed("turning to a new output's accumulators: secondary sources say 10-30 for a task switch")});
  visit("core.task_switch_cycles", m.core.task_switch_cycles, {any_cycles, cycles, assumed("secondary sources say 10-30")});
  visit("core.scalar_cycles", m.core.scalar_cycles, {some_cycles, cycles, assumed("integer move, add, compare-and-branch: not public")});
  visit("core.loop_cycles", m.core.loop_cycles, {any_cycles, cycles, assumed("setting up a hardware loop: not public")});
  visit("core.accumulator_cache_bytes", m.core.accumulator_cache_bytes,
        {{4, 1 << 20},
         bytes,
         assumed("SDK documentation: 256 B on WSE-2, 512 B on WSE-3; that fp32 accumulators beyond it halve the rate is assumed")});
  visit("core.rate.half", m.core.rate.half, {rate, a_cycle, rates});
  visit("core.rate.single", m.core.rate.single,
        {rate, a_cycle, assumed("as in the SDK documentation; that mixed adds of fp16 take it too is assumed")});
  visit("core.rate.mixed_fma", m.core.rate.mixed_fma, {rate, a_cycle, rates});
  visit("core.rate.single_mul", m.core.rate.single_mul, {rate, a_cycle, rates});
  visit("core.rate.single_fma", m.core.rate.single_fma, {rate, a_cycle, rates});
  visit("core.rate.half_max", m.core.rate.half_max, {rate, a_cycle, rates});
  visit("core.rate.single_max", m.core.rate.single_max, {rate, a_cycle, rates});
  visit("core.rate.convert", m.core.rate.convert, {rate, a_cycle, rates});
  visit("core.rate.irregular_stride", m.core.rate.irregular_stride,
        {rate, a_cycle, assumed("strides 4 and 7 mod 8: the SDK documentation contradicts itself")});
  visit("core.function.exp", m.core.function.exp, {some_cycles, an_element, polynomial});
  visit("core.function.log", m.core.function.log, {some_cycles, an_element, polynomial});
  visit("core.function.tanh", m.core.function.tanh, {some_cycles, an_element, polynomial});
  visit("core.function.erf", m.core.function.erf, {some_cycles, an_element, polynomial});
  visit("core.function.sin", m.core.function.sin, {some_cycles, an_element, polynomial});
  visit("core.function.cos", m.core.function.cos, {some_cycles, an_element, polynomial});
  visit("core.function.rsqrt", m.core.function.rsqrt, {some_cycles, an_element, polynomial});
  visit("core.function.recip", m.core.function.recip, {some_cycles, an_element, polynomial});
  visit("core.input_queue_words", m.core.input_queue_words, {places, words, says("SDK documentation, WSE-2 and WSE-3")});
  visit("core.output_queue_words", m.core.output_queue_words,
        {places, words, assumed("queues 0-5 as in the SDK documentation, which does not give 6 and 7")});
  visit("sram.bytes", m.sram.bytes, {{1024, 1 << 26}, bytes, says("SDK documentation: 48 KiB, WSE-2 and WSE-3")});
  visit("sram.instruction_bytes", m.sram.instruction_bytes, {code, bytes, assumed("code an instruction takes: not public")});
  visit("sram.descriptor_bytes", m.sram.descriptor_bytes, {code, bytes, assumed("memory a descriptor takes: not public")});
  visit("io.bandwidth", m.io.bandwidth_override,
        {span, bytes_per_second, says("no number of a machine: a configuration may give the channels present this sum")});
  visit("io.wafer_bandwidth", m.io.bandwidth,
        {span, bytes_per_second, says("vendor, of CS-1, CS-2, CS-3: 1.2 Tb/s (12 x 100 GbE), each way")});
  visit("io.channels_per_edge", m.io.channels_per_edge, {side, channels, says("SDK documentation: 60 on WSE-2, 62 on WSE-3")});
  visit("io.channel_row_pitch", m.io.channel_row_pitch,
        {side, rows, assumed("WSE-3's; on the 994 rows of a CS-2 it leaves room for 56 of its 60 channels an edge")});
  visit("io.latency", m.io.latency, {latency, seconds, assumed("MemoryX to edge and back: not public")});
  visit("io.edge_latency_cycles", m.io.edge_latency_cycles,
        {any_cycles, cycles, assumed("from a channel to the row a word belongs to: not public")});
  visit("io.edge_queue_words", m.io.edge_queue_words,
        {{0, 1 << 30},
         words,
         assumed("of each row of an edge, each way: not public; 0: enough for the skew of the columns and the link's round trip")});
  visit("memoryx.capacity", m.memoryx.capacity, {span, bytes, says("vendor: 1.5 or 12 TB for a CS-2")});
  visit("memoryx.bandwidth", m.memoryx.bandwidth, {span, bytes_per_second, assumed("of its DRAM: secondary sources only")});
  visit("memoryx.dram_capacity", m.memoryx.dram_capacity, {span, bytes, assumed("secondary sources: up to about 1 TB a node")});
  visit("memoryx.dram_latency", m.memoryx.dram_latency, {latency, seconds, assumed("of an access to the store's DRAM: not public")});
  visit("memoryx.dram_page", m.memoryx.dram_page, {page, bytes, assumed("what the store's DRAM reads together: not public")});
  visit("memoryx.flash_bandwidth", m.memoryx.flash_bandwidth, {span, bytes_per_second, assumed("of the store's flash: not public")});
  visit("memoryx.flash_latency", m.memoryx.flash_latency, {latency, seconds, assumed("of an access to the store's flash: not public")});
  visit("memoryx.flash_page", m.memoryx.flash_page, {page, bytes, assumed("what the store's flash reads together: not public")});
  visit("memoryx.optimizer_rate", m.memoryx.optimizer_rate, {span, per_second, assumed("parameter updates a second: not public")});
  visit("memoryx.prefetch_blocks", m.memoryx.prefetch_blocks,
        {places, calls, assumed("words that MemoryX reads ahead of the wafer: not public")});
  visit("swarmx.fanout", m.swarmx.fanout, {{2, 4096}, children, says("vendor on SwarmX: nodes of 1:4")});
  visit("swarmx.bandwidth", m.swarmx.bandwidth,
        {span, bytes_per_second, says("vendor on SwarmX: the 1.2 Tb/s of a system, adds at line rate")});
  visit("swarmx.latency", m.swarmx.latency,
        {latency, seconds, assumed("of a node: secondary sources say below 5 us over 4 hops of a CS-3")});
  visit("energy.busy_cycle_pj", m.energy.busy_cycle_pj, {energy, pj, says("Hot Chips 34: 30 mW a core at 1.1 GHz")});
  visit("energy.idle_cycle_pj", m.energy.idle_cycle_pj, {energy, pj, assumed("a core that waits: a fifth of one that works")});
  visit("energy.hop_pj", m.energy.hop_pj,
        {energy, pj, assumed("a wavelet over a link: WaferLLM's 0.1 pJ a bit on the wafer; 0.05-0.15 is possible")});
  visit("energy.link_word_pj", m.energy.link_word_pj, {energy, pj, says("WaferLLM, table 1: 10 pJ a bit off the chip")});
  visit("energy.dram_byte_pj", m.energy.dram_byte_pj, {energy, pj, store});
  visit("energy.flash_byte_pj", m.energy.flash_byte_pj, {energy, pj, store});
  visit("energy.system_power_w", m.energy.system_power_w, {energy, watt, assumed("pumps, fans, conversion: not public")});
  visit("energy.rated_power_w", m.energy.rated_power_w, {energy, watt, says("vendor: 23 kW peak")});
}

}  // namespace wafersim::models
