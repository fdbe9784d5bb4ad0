#pragma once
// Keys of a block of tokens: key k is seen by the queries k, ..., t - 1 of a block (tokens are striped over rows), and belongs to column
// k mod Ch of its head, which computes its softmax.

#include <utility>
#include <vector>

#include "workloads/kernels/kernel_builder.h"

namespace wafersim::workloads {

// Most keys of a block that one column owns.
inline int own_keys(const KernelBuilder& k) { return (k.slots() + k.layout().columns_per_head - 1) / k.layout().columns_per_head; }

// Emits the two loops over a block's keys, and over those whose softmax this column computes.
class AttentionKeys {
 public:
  AttentionKeys(KernelBuilder& k, int key_owner, int left) : k_(k), owner_(key_owner), left_(left) {}

  // body for every key of a block; `owner` and `left` (queries from the key on) are kept, the registers in `steps` advance by bytes.
  template <class Body>
  void each(const std::vector<std::pair<int, int>>& steps, Body&& body) {
    using models::imm, models::reg;
    models::Assembler& a = k_.a;
    const int columns = k_.layout().columns_per_head;
    a.set(owner_, imm(0));
    a.set(left_, imm(k_.slots()));
    a.loop(imm(k_.slots()), [&] {
      body();
      for (const auto& [r, bytes] : steps) a.add_integer(r, imm(bytes));
      a.sub_integer(left_, imm(1));
      if (columns == 1) return;
      const auto same = a.label();
      a.add_integer(owner_, imm(1));
      a.branch_less(owner_, imm(columns), same);
      a.set(owner_, imm(0));
      a.bind(same);
    });
  }

  // body for this column's own keys; `key` counts from its first, `left` as above.
  template <class Body>
  void own(int first_key_register, const std::vector<std::pair<int, int>>& steps, Body&& body) {
    using models::imm, models::reg;
    models::Assembler& a = k_.a;
    const auto again = a.label(), done = a.label();
    a.set(left_, imm(k_.slots()));
    a.sub_integer(left_, reg(first_key_register));
    a.bind(again);
    a.branch_less(left_, imm(1), done);
    body();
    for (const auto& [r, bytes] : steps) a.add_integer(r, imm(bytes));
    a.sub_integer(left_, imm(k_.layout().columns_per_head));
    a.jump(again);
    a.bind(done);
  }

 private:
  KernelBuilder& k_;
  int owner_, left_;
};

}  // namespace wafersim::workloads
