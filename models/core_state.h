#pragma once
// What one core remembers between cycles: plain data, no pointers out of the block but into its program.

#include <array>
#include <cstdint>

#include "fabric/geometry.h"
#include "models/cost.h"
#include "models/program.h"

namespace wafersim::models {

// What a core did with its cycles; for every PE the sum over these is the number of simulated cycles.
enum class Activity : std::uint8_t {
  compute,        // the datapath works on memory, alone or for each wavelet that triggers it, or the integer unit does
  reduce,         // the datapath works wavelet by wavelet: sums over PEs, sends, receives, relays
  output_switch,  // turning to a new output's accumulators (k0)
  task_switch,
  bank_conflict,     // second cycles of conflicting reads
  shared_datapath,   // a microthread used the datapath while the task could have
  wavelet_wait,      // a wavelet that has not arrived
  output_wait,       // a full output queue
  microthread_wait,  // the task needs a microthread that is in use
  idle,              // no task
};
constexpr int activities = 10;
constexpr std::array<const char*, activities> activity_names = {
    "compute",         "reduce",       "output_switch", "task_switch",      "bank_conflict",
    "shared_datapath", "wavelet_wait", "output_wait",   "microthread_wait", "idle"};

constexpr std::size_t first_stall = 2;  // what comes before is work

// Of cycles by activity: those of work.
template <class T>
constexpr T busy_cycles(const std::array<T, activities>& cycles) {
  return cycles[static_cast<std::size_t>(Activity::compute)] + cycles[static_cast<std::size_t>(Activity::reduce)];
}

struct DecodedInstruction {
  Instruction ins;
  InstructionCost cost;
  bool map_step = false;     // fma of a contiguous row with an arriving factor into contiguous fp32 accumulators
  bool moves_words = false;  // a stream of raw words, contiguous where they are in memory
  // The source that comes from the fabric; null: none does.
  const Operand* arriving() const {
    return ins.a.kind == Operand::Kind::input ? &ins.a : ins.b.kind == Operand::Kind::input ? &ins.b : nullptr;
  }
};

// A vector instruction under way.
struct VectorState {
  const DecodedInstruction* decoded = nullptr;  // null: none
  std::uint32_t n = 0, rows = 0;
  std::uint32_t row = 0, element = 0;
  std::int32_t dst = 0, a = 0, b = 0;  // byte addresses
  std::uint32_t key = 0;
  std::uint32_t row_cycles = 0;  // of a row of n elements
  bool issued = false;
  bool holds_half = false;  // the high half of a wavelet of triggering fp16 scalars
  std::uint16_t half = 0;

  // All but `decoded`.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(n, rows, row, element, dst, a, b, key, row_cycles, issued, holds_half, half);
  }
};

struct alignas(64) CoreState {
  static constexpr int max_loops = 4;
  struct Loop {
    std::int32_t begin = 0;
    std::int32_t left = 0;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(begin, left);
    }
  };

  // What nearly every chunk needs comes first: a core is a few cache lines, and there are many cores.
  fabric::Cycle accounted = 0;  // activities are counted up to here; the datapath is taken until then
  VectorState main;
  std::int32_t pc = 0;
  std::int16_t task = -1;    // running, or -1
  std::uint16_t call = 0;    // number of the kernel call it works on
  std::uint8_t program = 0;  // class
  std::uint8_t loop_depth = 0;
  std::uint8_t microthreads = 0;  // bit a running one
  std::uint8_t last_served = 0;   // 0 the task, 1 + k microthread k
  Activity waits_for = Activity::idle;
  bool between_calls = false;  // its part of the call is complete: what it does now is the kernel switch
  std::array<std::uint8_t, queue_count> output_color{};
  std::uint64_t activated = 0, blocked = 0;  // bit a task
  std::array<Loop, max_loops> loop{};
  std::array<std::uint64_t, activities> cycles{};  // not yet counted for the PE and its call
  std::uint64_t macs = 0;                          // the same
  std::array<std::int32_t, register_count> reg{};
  std::array<VectorState, microthread_count> microthread{};

  // All but the instructions under way.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(accounted, main, pc, task, call, program, loop_depth, microthreads, last_served, waits_for, between_calls, output_color,
            activated, blocked, loop, cycles, macs, reg, microthread);
  }
};

}  // namespace wafersim::models
