#include "tools/trainer/mesh_vcd.h"

#include <cmath>
#include <fmt/format.h>

#include "sim/error.h"

namespace wafersim::tools {
namespace {

using models::Activity;

struct Variable {
  const char* name;
  int bits;
};
enum : int { activity, call, first_link, router = first_link + fabric::directions, input, variables };
constexpr Variable of_a_pe[variables] = {{"activity", 4}, {"call", 16}, {"north", 1},  {"east", 1}, {"south", 1},
                                         {"west", 1},     {"ramp", 1},  {"router", 8}, {"input", 8}};
// Of a chunk, in the order in which they are shown.
constexpr Activity in_a_chunk[] = {Activity::task_switch, Activity::output_switch, Activity::compute,
                                   Activity::reduce,      Activity::bank_conflict, Activity::shared_datapath};

std::uint64_t number(Activity activity) { return static_cast<std::uint64_t>(activity); }

std::uint64_t in_router(const models::MeshDriver::Place& place) {
  int words = 0;
  for (int color = 0; color < fabric::RouteMap::max_colors; ++color)
    words += place.block->fabric->waiting_in_router(place.pe, static_cast<fabric::Color>(color));
  return static_cast<std::uint64_t>(words);
}

std::uint64_t in_inputs(const models::MeshDriver::Place& place) {
  int words = 0;
  for (int queue = 0; queue < fabric::FabricBlock::input_queues; ++queue) words += place.block->fabric->waiting_in_input(place.pe, queue);
  return static_cast<std::uint64_t>(words);
}

std::array<std::uint64_t, models::activities> cycles_of(const models::MeshDriver::Place& place) {
  std::array<std::uint64_t, models::activities> cycles{};
  for (std::size_t a = 0; a < models::activities; ++a) cycles[a] = place.block->core->activity(place.pe, static_cast<Activity>(a));
  return cycles;
}

}  // namespace

MeshVcd::MeshVcd(double clock, VcdWriter::Sink sink) : vcd_(sim::Hertz(static_cast<std::uint64_t>(std::llround(clock))), std::move(sink)) {}

void MeshVcd::begin(fabric::Cycle cycle, const models::MeshDriver& mesh) {
  std::vector<std::uint64_t> values;
  for (int y = 0; y < mesh.height(); ++y)
    for (int x = 0; x < mesh.width(); ++x) {
      Pe pe;
      pe.place = mesh.at({x, y});
      pe.first = static_cast<int>(pes_.size()) * variables;
      const models::CoreState& core = pe.place.block->core->state(pe.place.pe);
      pe.accounted = core.accounted;
      pe.waits_for = core.waits_for;
      pe.cycles = cycles_of(pe.place);
      for (std::size_t d = 0; d < fabric::directions; ++d)
        pe.flits[d] = pe.place.block->fabric->flits(pe.place.pe, static_cast<fabric::Direction>(d));
      for (const Variable& variable : of_a_pe) vcd_.add(fmt::format("pe_{}_{}", x, y), variable.name, variable.bits);
      values.insert(values.end(), {number(core.waits_for), core.call, 0, 0, 0, 0, 0, in_router(pe.place), in_inputs(pe.place)});
      pes_.push_back(pe);
    }
  std::string comment = "activity:\n";
  for (std::size_t a = 0; a < models::activities; ++a) comment += fmt::format("  {} {}\n", a, models::activity_names[a]);
  vcd_.begin(cycle, comment, values);
}

void MeshVcd::stepped(fabric::Cycle cycle, const models::MeshDriver&) {
  for (Pe& pe : pes_) {
    core_stepped(pe, cycle);
    router_stepped(pe, cycle);
  }
  vcd_.write_up_to(cycle);
}

// A core that has been looked at has waited until this cycle; what it does now is counted already, up to core.accounted.
void MeshVcd::core_stepped(Pe& pe, fabric::Cycle cycle) {
  const models::CoreState& core = pe.place.block->core->state(pe.place.pe);
  if (core.accounted < cycle || (core.accounted == pe.accounted && core.waits_for == pe.waits_for)) return;  // nobody has looked at it
  const auto cycles = cycles_of(pe.place);
  fabric::Cycle at = cycle;
  for (const Activity a : in_a_chunk) {
    const std::uint64_t more = cycles[number(a)] - pe.cycles[number(a)];
    if (more > 0) vcd_.change(pe.first + activity, at, number(a));
    at += more;
  }
  sim::require_invariant(at == core.accounted, "a core's chunk is counted from the cycle in which it begins");
  vcd_.change(pe.first + activity, at, number(core.waits_for));
  vcd_.change(pe.first + call, cycle, core.call);
  pe.accounted = core.accounted;
  pe.waits_for = core.waits_for;
  pe.cycles = cycles;
}

void MeshVcd::router_stepped(Pe& pe, fabric::Cycle cycle) {
  const fabric::FabricBlock& fabric = *pe.place.block->fabric;
  for (std::size_t d = 0; d < fabric::directions; ++d) {
    const std::uint64_t flits = fabric.flits(pe.place.pe, static_cast<fabric::Direction>(d)), sent = flits - pe.flits[d];
    sim::require_invariant(sent <= 1, "a link sends at most one wavelet a cycle");
    if (sent == 0) continue;
    vcd_.change(pe.first + first_link + static_cast<int>(d), cycle, 1);
    vcd_.change(pe.first + first_link + static_cast<int>(d), cycle + 1, 0);
    pe.flits[d] = flits;
  }
  vcd_.change(pe.first + router, cycle, in_router(pe.place));
  vcd_.change(pe.first + input, cycle, in_inputs(pe.place));
}

}  // namespace wafersim::tools
