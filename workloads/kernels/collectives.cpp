#include "workloads/kernels/collectives.h"

#include "models/assembler.h"

namespace wafersim::workloads {
namespace {

using namespace models;
using fabric::east, fabric::mask, fabric::north, fabric::ramp, fabric::south, fabric::west;
using sim::Dtype;

constexpr int start_task = 0;
constexpr int in_queue = 0, out_queue = 2;

WaferPlan empty_plan(int width, int height, int words) {
  WaferPlan plan;
  plan.width = width;
  plan.height = height;
  plan.routes = fabric::RouteMap(width, height);
  plan.pe_class.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0);
  plan.start_task = start_task;
  plan.sram.peak_bytes = collective_address + 4 * words;
  return plan;
}

Operand vector() { return memory(Dtype::f32, imm(collective_address)); }

// A class of PEs that runs `body` once.
template <class Body>
std::uint8_t add_class(WaferPlan& plan, Body&& body) {
  Assembler a;
  a.task(start_task, "start");
  body(a);
  a.end_task();
  plan.programs.push_back(a.finish());
  return static_cast<std::uint8_t>(plan.programs.size() - 1);
}

void send(Assembler& a, int color, int words) {
  a.bind_output(out_queue, imm(color));
  a.mov(output(Dtype::f32, out_queue), vector(), imm(words));
}

void receive(Assembler& a, int color, int words) {
  a.bind_input(in_queue, imm(color));
  a.mov(vector(), input(Dtype::f32, in_queue), imm(words));
}

void pass_sum(Assembler& a, int from, int to, int words) {
  a.bind_input(in_queue, imm(from));
  a.bind_output(out_queue, imm(to));
  a.add(output(Dtype::f32, out_queue), vector(), input(Dtype::f32, in_queue), imm(words));
}

void keep_sum(Assembler& a, int from, int words) {
  a.bind_input(in_queue, imm(from));
  a.add(vector(), vector(), input(Dtype::f32, in_queue), imm(words));
}

// broadcast_and_reduce: color 0 down the first column and along every row; 1 and 2 alternate in rows eastward; 3 and 4 in the last column
// southward.
int row_color(int x) { return 1 + x % 2; }
int column_color(int y) { return 3 + y % 2; }

void broadcast_and_reduce_at(Assembler& a, int x, int y, int width, int height, int words) {
  if (x == 0 && y == 0)
    send(a, 0, words);
  else
    receive(a, 0, words);
  if (x == 0)
    send(a, row_color(0), words);
  else if (x + 1 < width)
    pass_sum(a, row_color(x - 1), row_color(x), words);
  else
    keep_sum(a, row_color(x - 1), words);
  if (x + 1 < width) return;
  if (y == 0)
    send(a, column_color(0), words);
  else if (y + 1 < height)
    pass_sum(a, column_color(y - 1), column_color(y), words);
  else
    keep_sum(a, column_color(y - 1), words);
}

// PEs whose programs are alike: first, even and odd inner, last column; in the last column also first, even and odd inner, last row; the
// corner where all begins.
constexpr std::size_t kinds = 32;
int kind_of(int x, int y, int width, int height) {
  const auto place = [](int i, int count) { return i == 0 ? 0 : i + 1 == count ? 3 : 1 + i % 2; };
  const int column = place(x, width);
  return column * 8 + (column == 3 ? place(y, height) : x == 0 && y == 0 ? 4 : 0);
}

void route_broadcast(fabric::RouteMap& routes, int x, int y) {
  const bool root = x == 0 && y == 0;
  const fabric::DirectionMask in = root     ? mask(ramp)
                                   : x == 0 ? mask(north)
                                            : mask(west),
                              to_core = root ? 0 : mask(ramp), on = x + 1 < routes.width() ? mask(east) : 0,
                              down = x == 0 && y + 1 < routes.height() ? mask(south) : 0;
  routes.add({x, y}, 0, in, static_cast<fabric::DirectionMask>(to_core | on | down));
}

void route_sums(fabric::RouteMap& routes, int x, int y) {
  if (x + 1 < routes.width()) {
    routes.add({x, y}, static_cast<fabric::Color>(row_color(x)), mask(ramp), mask(east));
    routes.add({x + 1, y}, static_cast<fabric::Color>(row_color(x)), mask(west), mask(ramp));
  } else if (y + 1 < routes.height()) {
    routes.add({x, y}, static_cast<fabric::Color>(column_color(y)), mask(ramp), mask(south));
    routes.add({x, y + 1}, static_cast<fabric::Color>(column_color(y)), mask(north), mask(ramp));
  }
}

}  // namespace

WaferPlan broadcast_row(int pes, int words) {
  WaferPlan plan = empty_plan(pes, 1, words);
  const std::uint8_t root = add_class(plan, [&](Assembler& a) { send(a, 0, words); });
  const std::uint8_t other = add_class(plan, [&](Assembler& a) { receive(a, 0, words); });
  for (int x = 0; x < pes; ++x) {
    plan.pe_class[static_cast<std::size_t>(x)] = x == 0 ? root : other;
    plan.routes.add({x, 0}, 0, x == 0 ? mask(ramp) : mask(west),
                    static_cast<fabric::DirectionMask>((x == 0 ? 0 : mask(ramp)) | (x + 1 < pes ? mask(east) : 0)));
  }
  return plan;
}

WaferPlan chain_row(int pes, int words) {
  WaferPlan plan = empty_plan(pes, 1, words);
  const std::uint8_t first = add_class(plan, [&](Assembler& a) { send(a, 0, words); });
  const std::uint8_t odd = add_class(plan, [&](Assembler& a) { pass_sum(a, 0, 1, words); });
  const std::uint8_t even = add_class(plan, [&](Assembler& a) { pass_sum(a, 1, 0, words); });
  const std::uint8_t last = add_class(plan, [&](Assembler& a) { keep_sum(a, (pes - 2) % 2, words); });
  for (int x = 0; x < pes; ++x) {
    plan.pe_class[static_cast<std::size_t>(x)] = x == 0 ? first : x + 1 == pes ? last : x % 2 ? odd : even;
    if (x + 1 == pes) break;
    const fabric::Color color = static_cast<fabric::Color>(x % 2);
    plan.routes.add({x, 0}, color, mask(ramp), mask(east));
    plan.routes.add({x + 1, 0}, color, mask(west), mask(ramp));
  }
  return plan;
}

WaferPlan star_row(int pes, int words) {
  WaferPlan plan = empty_plan(pes, 1, words);
  const std::uint8_t root = add_class(plan, [&](Assembler& a) {
    a.bind_input(in_queue, imm(0));
    a.add(vector(), vector(), input(Dtype::f32, in_queue), imm(words), imm(pes - 1));
  });
  const std::uint8_t other = add_class(plan, [&](Assembler& a) {
    a.bind_output(out_queue, imm(0));
    a.mov(output(Dtype::f32, out_queue), vector(), imm(words)).advance = true;
  });
  plan.routes.add({0, 0}, 0, mask(east), mask(ramp));
  for (int x = 0; x < pes; ++x) {
    plan.pe_class[static_cast<std::size_t>(x)] = x == 0 ? root : other;
    if (x > 0) plan.routes.set({x, 0}, 0, {{{{mask(ramp), mask(west)}, {mask(east), mask(west)}}}, 2, false});
  }
  return plan;
}

WaferPlan broadcast_and_reduce(int width, int height, int words) {
  WaferPlan plan = empty_plan(width, height, words);
  std::vector<int> class_of(kinds, -1);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      int& index = class_of[static_cast<std::size_t>(kind_of(x, y, width, height))];
      if (index < 0) index = add_class(plan, [&](Assembler& a) { broadcast_and_reduce_at(a, x, y, width, height, words); });
      plan.pe_class[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)] =
          static_cast<std::uint8_t>(index);
      route_broadcast(plan.routes, x, y);
      route_sums(plan.routes, x, y);
    }
  return plan;
}

}  // namespace wafersim::workloads
