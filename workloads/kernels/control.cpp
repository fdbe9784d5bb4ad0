// Kernel switch (design, section 5): completions gather along the rows to the first column and along it to the north-west corner, which
// multicasts what the host has streamed for the next call: its start and its arguments. Each PE passes its own completion first and then
// lets its neighbours' through (a switch); the last PE of the row or column sets the switches back.
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

// The corner waits for the host's next call from now on: at the start of a step or when a call has completed everywhere.
void expect_next_call(KernelBuilder& k) { k.a.unblock(task_start_next); }

}  // namespace

void emit_control(KernelBuilder& k, int width, int height) {
  Assembler& a = k.a;
  constexpr int x = 0, y = 1, feeder = 2, arguments = 0;
  a.task(task_setup, "setup");
  a.bind_input(in_start, imm(color_f0));
  a.bind_input(in_weights, imm(color_wv));
  a.load(feeder, 1, imm(k.tables().pe_words + 4 * word_feeder));
  const auto no_feeder = a.label(), no_corner = a.label();
  a.branch_less(feeder, imm(0), no_feeder);
  a.bind_input(in_feeder, reg(feeder));
  a.bind_output(out_weights, imm(color_wv));
  a.bind(no_feeder);
  a.load(x, 1, imm(k.tables().pe_words + 4 * word_x));
  a.load(y, 1, imm(k.tables().pe_words + 4 * word_y));
  a.branch_not_equal(x, imm(0), no_corner);
  a.branch_not_equal(y, imm(0), no_corner);
  a.bind_input(in_host, imm(color_f3));
  a.bind_output(out_start, imm(color_f0));
  expect_next_call(k);
  a.bind(no_corner);
  a.end_task();

  Task& next = a.task(task_start_next, "start_next", Task::Kind::data);
  next.queue = in_host;
  next.blocked = true;
  next.payload_register = arguments;  // their number comes first
  a.block(task_start_next);
  a.mov(output(Dtype::u32, out_start), input(Dtype::u32, in_host), imm(1)).control = true;
  // While the corner itself takes them, too.
  a.mov(output(Dtype::u32, out_start), input(Dtype::u32, in_host), reg(arguments)).microthread = microthread_arguments;
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
  expect_next_call(k);
  a.end_task();
}

}  // namespace wafersim::workloads
