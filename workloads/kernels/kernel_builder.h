#pragma once
// What the programs of all kernels share: how a call finds its arguments, the tile's shape, and the patterns of communication.
// The code of a kernel exists once; a call is a list of addresses and counts that the host streams (StreamBuilder::start).

#include <map>
#include <string>
#include <vector>

#include "models/assembler.h"
#include "workloads/kernels/colors.h"
#include "workloads/kernels/wafer_routes.h"
#include "workloads/layout.h"

namespace wafersim::workloads {

// Task ids. Kernels are control tasks; the others are parts of them or run between them.
enum TaskId : int { task_setup = 0, task_complete = 1, task_start_next = 2, task_first_local = 3, task_first_kernel = 16 };

class KernelBuilder {
 public:
  static constexpr int most_arguments = 12;
  // Addresses of what all kernels use.
  struct Tables {
    int pe_words = 0;
    int arguments = 0;  // most_arguments words: those of the call at hand
    int discard = 0;    // a word that may be overwritten
  };

  KernelBuilder(models::Assembler& assembler, const Layout& layout, sim::Dtype type, const Tables& tables)
      : a(assembler), layout_(layout), type_(type), tables_(tables) {}

  models::Assembler& a;

  const Layout& layout() const { return layout_; }
  const Tables& tables() const { return tables_; }
  sim::Dtype type() const { return type_; }
  int slots() const { return layout_.tokens_per_pe; }
  int pitch() const { return layout_.pitch(); }
  int tile_row_bytes() const { return pitch() * sim::bytes_of(type_); }
  int vector_bytes() const { return pitch() * 4; }  // of one fp32 value a slot

  enum class Group { lane, head };
  using Words = std::vector<PeWord>;
  // Opens a kernel whose calls have these arguments. It takes them from behind its start and loads them and these words of the PE's table.
  // Returns its task id.
  int begin(const std::string& name, const std::vector<std::string>& arguments, const std::vector<Words>& words);
  void end();
  // Argument names of every kernel, in the order of the wire, by task.
  const std::map<int, std::vector<std::string>>& signatures() const { return signatures_; }
  // A further task of the open kernel, which shares its registers.
  void begin_part(int task, const std::string& name);

  int fresh();                             // a register
  int arg(const std::string& name) const;  // the register of an argument of the call
  int word(PeWord word) const;             // the register of a word of the PE's table

  // Operands: tiles of the run's type or fp32, and vectors of one fp32 value a slot.
  models::Operand tile(models::Value base) const { return models::memory(type_, base, 1, pitch()); }
  models::Operand tile32(models::Value base) const { return models::memory(sim::Dtype::f32, base, 1, pitch()); }
  models::Operand row(models::Value base) const { return models::memory(type_, base); }
  models::Operand vector(models::Value base) const { return models::memory(sim::Dtype::f32, base); }
  models::Operand weight() const { return models::input_scalar(type_, in_weights); }

  // On a feeder, relays `words` words of the column's weight stream to the column while the kernel runs.
  void relay_weights(models::Value words);

  // Words that the patterns below need.
  static Words ring_words(Group group);
  static Words relay_ring_words(Group group);
  static Words all_reduce_words(Group group);
  static Words column_sum_words() { return {word_column_in, word_column_out}; }
  static Words relay_words() { return {word_feeder}; }

  bool alone(Group group) const { return (group == Group::lane ? layout_.columns : layout_.columns_per_head) == 1; }
  // n fp32 words at `base` become their sum (or maximum) over the group's columns, in all of them. Leaves no ring bound.
  void all_reduce(Group group, models::Opcode op, models::Value base, models::Value n);
  // The ring of a group: binds its queues; roles of outputs owned by column `owner` are then chosen by with_role.
  void bind_ring(Group group);
  // One row sum of n fp32 words on the bound ring: `own` at the PE's side; at the owner the sum is stored at `sum`.
  // role bodies are emitted for each of starter, middle and owner, chosen at run time by the register `owner`.
  template <class Starter, class Middle, class Owner>
  void with_role(Group group, int owner, Starter&& starter, Middle&& middle, Owner&& own);
  // A vector that column `owner` sends around the group's ring: `own` sends it, the others receive it and, but for the last, pass it on.
  // received(forwards) is emitted for both. Needs relay_ring_words(group).
  template <class Own, class Received>
  void with_relay(Group group, int owner, Own&& own, Received&& received);
  // Sums n fp32 words at `base` down the column, then down the same column of the next lane, and out of the wafer. All columns of a lane
  // take a PE's words at the same place of the chain, so that neighbours in a row are never further apart than their row's ring lets them.
  void bind_column_sum();
  void column_sum(models::Value base, models::Value n);

 private:
  models::Assembler::Label label() { return a.label(); }

  Layout layout_;
  sim::Dtype type_;
  Tables tables_;
  int next_task_ = task_first_kernel;
  int next_register_ = 0;
  std::map<std::string, int> arguments_;  // registers of the open kernel
  std::map<int, std::vector<std::string>> signatures_;
  std::map<int, int> words_;
};

template <class Starter, class Middle, class Owner>
void KernelBuilder::with_role(Group group, int owner, Starter&& starter, Middle&& middle, Owner&& own) {
  if (alone(group)) {
    own();
    return;
  }
  const int self = word(group == Group::lane ? word_column : word_head_column);
  const int before = word(group == Group::lane ? word_column_before : word_head_before);
  const models::Assembler::Label is_owner = label(), is_starter = label(), done = label();
  a.branch_equal(owner, models::reg(self), is_owner);
  a.branch_equal(owner, models::reg(before), is_starter);
  middle();
  a.jump(done);
  a.bind(is_starter);
  starter();
  a.jump(done);
  a.bind(is_owner);
  own();
  a.bind(done);
}

template <class Own, class Received>
void KernelBuilder::with_relay(Group group, int owner, Own&& own, Received&& received) {
  if (alone(group)) {
    own();
    return;
  }
  const models::Assembler::Label is_owner = label(), is_last = label(), done = label();
  a.branch_equal(owner, models::reg(word(group == Group::lane ? word_column : word_head_column)), is_owner);
  a.branch_equal(owner, models::reg(word(group == Group::lane ? word_column_after : word_head_after)), is_last);
  received(true);
  a.jump(done);
  a.bind(is_last);
  received(false);
  a.jump(done);
  a.bind(is_owner);
  own();
  a.bind(done);
}

}  // namespace wafersim::workloads
