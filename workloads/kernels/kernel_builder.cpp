#include "workloads/kernels/kernel_builder.h"

#include "sim/error.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

int KernelBuilder::begin(const std::string& name, const std::vector<std::string>& arguments, const std::vector<Words>& words) {
  arguments_.clear();
  words_.clear();
  next_register_ = 0;
  const int count = static_cast<int>(arguments.size());
  sim::require_invariant(count > 0 && count <= most_arguments, "a kernel's arguments fit their buffer");
  sim::require_invariant(next_task_ < task_count, "there are task ids for all kernels");
  a.task(next_task_, name, Task::Kind::control);
  a.mov(memory(Dtype::u32, imm(tables_.arguments)), input(Dtype::u32, in_start), imm(count));
  a.load(next_register_, count, imm(tables_.arguments));
  for (const std::string& argument : arguments) arguments_.emplace(argument, fresh());
  for (const Words& list : words)
    for (const PeWord word : list)
      if (words_.count(word) == 0) {
        words_[word] = fresh();
        a.load(words_[word], 1, imm(tables_.pe_words + 4 * word));
      }
  signatures_[next_task_] = arguments;
  return next_task_++;
}

KernelBuilder::Words KernelBuilder::ring_words(Group group) {
  if (group == Group::lane) return {word_column, word_column_before, word_row_in, word_row_out};
  return {word_head_column, word_head_before, word_head_in, word_head_out};
}

KernelBuilder::Words KernelBuilder::relay_ring_words(Group group) {
  if (group == Group::lane) return {word_column, word_column_after, word_row_in, word_row_out};
  return {word_head_column, word_head_after, word_head_in, word_head_out};
}

KernelBuilder::Words KernelBuilder::all_reduce_words(Group group) {
  if (group == Group::lane) return {word_row_in, word_row_out, word_row_place};
  return {word_head_in, word_head_out, word_head_place};
}

void KernelBuilder::end() {
  a.activate(task_complete);
  a.end_task();
}

void KernelBuilder::begin_part(int task, const std::string& name) { a.task(task, name); }

int KernelBuilder::fresh() {
  sim::require_invariant(next_register_ < register_count, "a kernel's integers fit the register file");
  return next_register_++;
}

int KernelBuilder::arg(const std::string& name) const {
  const auto known = arguments_.find(name);
  sim::require_invariant(known != arguments_.end(), "a kernel asks for the arguments that it declares");
  return known->second;
}

int KernelBuilder::word(PeWord word) const {
  const auto known = words_.find(word);
  sim::require_invariant(known != words_.end(), "a kernel asks for the words that it declares");
  return known->second;
}

void KernelBuilder::relay_weights(Value words) {
  const int feeder = word(word_feeder);
  const auto skip = a.label();
  a.branch_less(feeder, imm(0), skip);
  a.mov(output(Dtype::u32, out_weights), input(Dtype::u32, in_feeder), words).microthread = microthread_weights;
  a.bind(skip);
}

void KernelBuilder::bind_ring(Group group) {
  if (alone(group)) return;
  a.bind_input(in_row, reg(word(group == Group::lane ? word_row_in : word_head_in)));
  a.bind_output(out_row, reg(word(group == Group::lane ? word_row_out : word_head_out)));
}

void KernelBuilder::all_reduce(Group group, Opcode op, Value base, Value n) {
  if (alone(group)) return;
  const bool lane = group == Group::lane;
  const Operand own = vector(base), in = input(Dtype::f32, in_row), out = output(Dtype::f32, out_row);
  bind_ring(group);
  const int place = word(lane ? word_row_place : word_head_place);
  const auto first = a.label(), last = a.label(), receive = a.label(), done = a.label();
  a.branch_equal(place, imm(place_first), first);
  a.branch_equal(place, imm(place_last), last);
  a.vector(op, out, own, in, n);
  a.jump(receive);
  a.bind(first);
  a.mov(out, own, n);
  // The neighbour sends nothing further on the ring before it, too, has the result.
  a.bind(receive);
  a.bind_input(in_row, imm(lane ? color_x3 : color_h3));
  a.mov(own, in, n);
  a.jump(done);
  a.bind(last);
  a.vector(op, own, own, in, n);
  a.bind_output(out_row, imm(lane ? color_x3 : color_h3));
  a.mov(out, own, n);
  a.bind(done);
}

void KernelBuilder::bind_column_sum() {
  const int before = word(word_column_in);
  const auto first = a.label();
  a.bind_output(out_column, reg(word(word_column_out)));
  a.branch_less(before, imm(0), first);
  a.bind_input(in_column, reg(before));
  a.bind(first);
}

void KernelBuilder::column_sum(Value base, Value n) {
  const Operand own = vector(base), out = output(Dtype::f32, out_column);
  const auto first = a.label(), done = a.label();
  a.branch_less(word(word_column_in), imm(0), first);
  a.add(out, own, input(Dtype::f32, in_column), n);
  a.jump(done);
  a.bind(first);
  a.mov(out, own, n);
  a.bind(done);
}

}  // namespace wafersim::workloads
