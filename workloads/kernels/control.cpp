// Kernel switch (design, section 5): completions gather along the rows to the first column and along it to the north-west corner, which
// multicasts the start of the next call. Each PE passes its own completion first and then lets its neighbours' through (a switch); the last
// PE of the row or column sets the switches back.
#include "fabric/wavelet.h"
#include "workloads/kernels/kernels.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

void send_reset(KernelBuilder& k, int queue) {
  float payload;
  const std::uint32_t bits = fabric::control_payload(fabric::SwitchCommand::reset, true, 0);
  __builtin_memcpy(&payload, &bits, sizeof payload);
  k.a.mov(output(Dtype::f32, queue), constant(payload, Dtype::f32), imm(1)).control = true;
}

namespace {

// Tells the neighbour that this PE and those behind it have finished.
void report(KernelBuilder& k, int color, int place, int last_place) {
  Assembler& a = k.a;
  const Operand out = output(Dtype::f32, out_edge), done_word = constant(0.0f, Dtype::f32);
  const auto last = a.label(), done = a.label();
  a.bind_output(out_edge, imm(color));
  a.branch_equal(place, imm(last_place), last);
  a.mov(out, done_word, imm(1)).advance = true;
  a.jump(done);
  a.bind(last);
  a.mov(out, done_word, imm(1));
  send_reset(k, out_edge);
  a.bind(done);
  a.end_task();
}

void gather(KernelBuilder& k, int color, int count) {
  k.a.bind_input(in_column, imm(color));
  k.a.mov(memory(Dtype::f32, imm(k.tables().discard), 0), input(Dtype::f32, in_column), imm(count));
  // The next kernel's completions may come before this PE looks for them again: they must wait in the router.
  k.a.bind_input(in_column, imm(-1));
}

}  // namespace

void emit_control(KernelBuilder& k, int width, int height) {
  Assembler& a = k.a;
  constexpr int x = 2, y = 3, feeder = 4;
  a.task(task_setup, "setup");
  a.bind_input(in_start, imm(color_f0));
  a.bind_input(in_weights, imm(color_wv));
  a.load(feeder, 1, imm(k.tables().pe_words + 4 * word_feeder));
  const auto no_feeder = a.label();
  a.branch_less(feeder, imm(0), no_feeder);
  a.bind_input(in_feeder, reg(feeder));
  a.bind_output(out_weights, imm(color_wv));
  a.bind(no_feeder);
  a.end_task();

  a.task(task_complete, "complete");
  a.completion_task(task_complete);
  a.load(x, 1, imm(k.tables().pe_words + 4 * word_x));
  a.load(y, 1, imm(k.tables().pe_words + 4 * word_y));
  if (width > 1) {
    const auto first_column = a.label();
    a.branch_equal(x, imm(0), first_column);
    report(k, color_f1, x, width - 1);
    a.bind(first_column);
    gather(k, color_f1, width - 1);
  }
  if (height > 1) {
    const auto corner = a.label();
    a.branch_equal(y, imm(0), corner);
    report(k, color_f2, y, height - 1);
    a.bind(corner);
    gather(k, color_f2, height - 1);
  }
  const auto step_done = a.label();
  a.add_integer(0, imm(1));
  a.branch_equal(0, imm(k.tables().calls), step_done);
  a.bind_output(out_start, imm(color_f0));
  a.set(y, reg(0));
  a.mul_integer(y, imm(4));
  a.mov(output(Dtype::u32, out_start), memory(Dtype::u32, reg(y, k.tables().start_table)), imm(1)).control = true;
  a.bind(step_done);
  a.end_task();
}

}  // namespace wafersim::workloads
