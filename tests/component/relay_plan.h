#pragma once
// A plan written by hand: every row takes its part of a tensor from the west edge, each PE stores the words and passes them on, and they
// leave over the east edge as the tensor's gradients. One call: the host's start comes over color 3 to PE (0, 0), which passes it on to all
// over color 2.

#include "models/assembler.h"
#include "models/plan.h"

namespace wafersim::models {

constexpr int relay_address = 8;
constexpr int relay_start_task = 1;
constexpr fabric::Color relay_start_color = 2, relay_host_color = 3;

// Words of row r are parameters r * words ... (r + 1) * words - 1. PE x takes color x % 2 and sends the other.
inline WaferPlan relay_plan(int width, int height, int words) {
  using fabric::east, fabric::mask, fabric::north, fabric::ramp, fabric::south, fabric::west;
  WaferPlan plan;
  plan.width = width;
  plan.height = height;
  plan.routes = fabric::RouteMap(width, height);
  plan.sram.peak_bytes = relay_address + 4 * words;
  plan.edge_queue_words = 8;
  constexpr std::uint8_t corner = 2;  // class of PE (0, 0)
  for (const std::uint8_t pe_class : {0, 1, +corner}) {
    const int parity = pe_class % 2;
    Assembler a;
    a.task(0, "boot");
    a.bind_input(2, imm(relay_start_color));
    if (pe_class == corner) {
      a.bind_input(3, imm(relay_host_color));
      a.bind_output(0, imm(relay_start_color));
      a.end_task();
      Task& host = a.task(3, "host", Task::Kind::data);  // the start follows a word that only says that it comes
      host.queue = 3;
      a.mov(output(sim::Dtype::u32, 0), input(sim::Dtype::u32, 3), imm(1)).control = true;
    }
    a.end_task();
    a.task(relay_start_task, "start", Task::Kind::control);
    a.bind_input(0, imm(parity));
    a.bind_output(2, imm(1 - parity));
    a.mov(memory(sim::Dtype::f32, imm(relay_address)), input(sim::Dtype::f32, 0), imm(words));
    a.mov(output(sim::Dtype::f32, 2), memory(sim::Dtype::f32, imm(relay_address)), imm(words));
    a.activate(2);
    a.end_task();
    a.task(2, "done");
    a.end_task();
    a.completion_task(2);
    plan.programs.push_back(a.finish());
  }
  plan.start_task = 0;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      plan.pe_class.push_back(x == 0 && y == 0 ? corner : static_cast<std::uint8_t>(x % 2));
      const auto in = static_cast<fabric::Color>(x % 2), out = static_cast<fabric::Color>(1 - x % 2);
      plan.routes.add({x, y}, in, mask(west), mask(ramp));
      plan.routes.add({x, y}, out, mask(ramp), mask(east));
      const int onward = mask(ramp) | (x + 1 < width ? mask(east) : 0) | (x == 0 && y + 1 < height ? mask(south) : 0);
      plan.routes.add({x, y}, relay_start_color,
                      x > 0   ? mask(west)
                      : y > 0 ? mask(north)
                              : mask(ramp),
                      static_cast<fabric::DirectionMask>(onward));
    }
  plan.routes.add({0, 0}, relay_host_color, mask(west), mask(ramp));
  KernelCall call{"relay", "forward", -1, {}, 0};
  const auto port = [](memoryx::Port::Side side, int row) { return memoryx::Port{side, static_cast<std::uint16_t>(row)}; };
  using memoryx::GradientWord, memoryx::StreamValue;
  const std::uint32_t start = fabric::control_payload(fabric::SwitchCommand::nop, false, relay_start_task, 0);
  for (const StreamValue& value : {StreamValue{}, StreamValue{StreamValue::Kind::start, 0, start, 0}})
    call.stream.in.push_back({port(memoryx::Port::Side::west, 0), relay_host_color, sim::Dtype::f32, value, {}});
  for (int y = 0; y < height; ++y) {
    memoryx::CallStream::PortWords out{port(memoryx::Port::Side::east, y), static_cast<std::uint8_t>(width % 2), {}};
    for (int w = 0; w < words; ++w) {
      const auto element = static_cast<std::uint32_t>(y * words + w);
      call.stream.in.push_back({port(memoryx::Port::Side::west, y), 0, sim::Dtype::f32, {StreamValue::Kind::parameter, 0, element, 0}, {}});
      out.words.push_back({GradientWord::Kind::parameter, element, 0});
    }
    call.stream.out.push_back(out);
  }
  plan.calls.push_back(call);
  return plan;
}

}  // namespace wafersim::models
