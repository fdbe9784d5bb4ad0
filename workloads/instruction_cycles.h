#pragma once
// What the closed forms add up: cycles of the vector instructions that kernels are made of, by the types of a run (models/cost.h has the
// rates by opcode and operands). `n` elements; a tile is of the run's type, everything else fp32.

#include "fabric/spec.h"
#include "models/core_spec.h"
#include "sim/dtype.h"

namespace wafersim::workloads {

class InstructionCycles {
 public:
  InstructionCycles(const models::CoreSpec& core, const fabric::FabricSpec& fabric, sim::Dtype type)
      : core_(core), fabric_(fabric), half_(sim::is_half(type)) {}

  bool half() const { return half_; }  // a run of fp16

  double issue() const { return core_.issue_cycles; }
  double scalars(int count) const { return static_cast<double>(count) * core_.scalar_cycles; }
  double task_switch() const { return core_.task_switch_cycles; }
  double output_switch() const { return core_.output_switch_cycles; }

  double add(int n) const { return issue() + spread(n, core_.rate.single); }
  double move(int n) const { return add(n); }
  double multiply(int n) const { return issue() + spread(n, core_.rate.single_mul); }
  double maximum(int n) const { return issue() + spread(n, core_.rate.single_max); }
  double convert(int n) const { return issue() + tile_rows(1, n, half_ ? core_.rate.convert : core_.rate.single); }
  double add_tiles(int rows, int n) const { return issue() + tile_rows(rows, n, half_ ? core_.rate.half : core_.rate.single); }
  double convert_tiles(int rows, int n) const { return issue() + tile_rows(rows, n, half_ ? core_.rate.convert : core_.rate.single); }
  double maximum_tiles(int rows, int n) const { return issue() + tile_rows(rows, n, half_ ? core_.rate.half_max : core_.rate.single_max); }
  double clear_tiles(int rows, int n) const { return add_tiles(rows, n); }
  double add_rows(int rows, int n) const { return issue() + tile_rows(rows, n, core_.rate.single); }
  double multiply_rows(int rows, int n) const { return issue() + tile_rows(rows, n, core_.rate.single_mul); }
  double function(int n, int cycles) const { return issue() + static_cast<double>(n) * cycles; }
  // fma of fp32 operands, and rows of fma of tile operands (an issue a row); `cached` when n accumulators must fit the cache.
  double fma(int n, bool cached = true) const { return issue() + accumulate(n, core_.rate.single_fma, cached); }
  double fma_rows(int rows, int n, bool cached = true) const { return rows * (issue() + fma_row(n, cached)); }
  double fma_row(int n, bool cached = true) const { return accumulate(n, half_ ? core_.rate.mixed_fma : core_.rate.single_fma, cached); }
  // Triggered by a value from the fabric.
  double triggered_multiply(int n) const { return core_.weight_issue_cycles + spread(n, core_.rate.single_mul); }
  double triggered_add(int n) const { return core_.weight_issue_cycles + spread(n, core_.rate.single); }
  double triggered_fma(int n) const { return core_.weight_issue_cycles + fma_row(n); }

  // Wavelets of n values: fp32, and of the run's type. One a cycle.
  double stream(double n) const { return issue() + n; }
  double stream_tile_row(int n) const { return issue() + tile_words(n); }
  int tile_words(int n) const { return half_ ? (n + 1) / 2 : n; }

  // Receive, add, forward: what the head of a chain takes a PE.
  double chain_hop() const { return 2.0 * fabric_.ramp_cycles + 1.0 + fabric_.hop_cycles; }
  double ramps(int count) const { return static_cast<double>(count) * fabric_.ramp_cycles; }
  double hops(int count) const { return static_cast<double>(count) * fabric_.hop_cycles; }
  // n fp32 words along a chain of `pes`, and their sum back to all.
  double all_reduce(int n, int pes) const;

  const models::FunctionCycles& functions() const { return core_.function; }

  // Elements a cycle at a rate of the table: whole numbers, and one over whole numbers.
  static double whole_rate(double rate);
  static double spread(int n, double rate);  // ceil(n / whole_rate(rate))

 private:
  double tile_rows(int rows, int n, double rate) const { return rows * spread(n, rate); }
  double accumulate(int n, double rate, bool cached) const;

  const models::CoreSpec& core_;
  const fabric::FabricSpec& fabric_;
  bool half_;
};

}  // namespace wafersim::workloads
