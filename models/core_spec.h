#pragma once
// The core's and the SRAM's numbers. Sources: [C] vendor text, [S] secondary, [A] our assumption (listed by every run that uses it).

#include <array>

namespace wafersim::models {

// Elements a cycle of one kind of vector instruction (reference: SDK appendix [C]); bf16 as fp16 [A].
struct RateTable {
  double half = 4;              // fp16 add, sub, mul, fmach, mov16, neg, abs; 16-bit integer and logic
  double single = 2;            // fp32 add, sub, mov32, neg; mixed adds of fp16 into fp32 [A]
  double mixed_fma = 2;         // fmachs: fp16 operands, fp32 accumulator
  double single_mul = 1;        // fp32 multiply
  double single_fma = 1;        // fmacs
  double half_max = 1;          // fp16 max
  double single_max = 1;        // fp32 max
  double convert = 1;           // fp16 <-> fp32
  double irregular_stride = 1;  // cap for strides that are multiples of 8 (not 0), and strides 4 and 7 mod 8 [A for 4 and 7]
};

// Cycles an element of the functions that run as polynomials on the core [A].
struct FunctionCycles {
  int exp = 12;
  int log = 16;
  int tanh = 18;
  int erf = 24;
  int sin = 16;
  int cos = 16;
  int rsqrt = 16;
  int recip = 10;
};

struct CoreSpec {
  double clock = 850e6;               // Hz [C: SDK timing scripts; 1.1 GHz elsewhere]
  int issue_cycles = 1;               // of a vector instruction [C]
  int weight_issue_cycles = 1;        // of one step of a map that an arriving scalar triggers [A]
  int output_switch_cycles = 10;      // k0: turning to a new output's accumulators [A: sources say 10-30]
  int task_switch_cycles = 10;        // [A: sources say 10-30]
  int scalar_cycles = 1;              // integer move, add, compare-and-branch [A]
  int loop_cycles = 1;                // setting up a hardware loop; iterations are free [A]
  int accumulator_cache_bytes = 256;  // [C]; an fma whose fp32 accumulators exceed it runs at half rate [A]
  RateTable rate;
  FunctionCycles function;
  std::array<int, 8> input_queue_words = {6, 6, 4, 4, 2, 2, 2, 2};   // [C]
  std::array<int, 8> output_queue_words = {2, 2, 6, 6, 2, 2, 2, 2};  // [C] for 0-5; 6 and 7 [A]
};

struct SramSpec {
  int bytes = 48 * 1024;      // [C]
  int instruction_bytes = 8;  // [A]
  int descriptor_bytes = 8;   // [A]
};

}  // namespace wafersim::models
