#pragma once
// The cores of a block of PEs. Pure state machine: step(now) lets every core that has something to do in cycle `now` do it.
//
// A core has one datapath. It is shared, a chunk at a time and in turn, by the running task and up to eight microthreads. A chunk is a row
// of a vector instruction in memory or triggered by a scalar (issue + ceil(n / rate) cycles; both rows of a wavelet of two scalars), or one
// wavelet of an instruction that streams (one cycle, or what its elements take). Between chunks a core either continues or sleeps until a
// wavelet, room or a chunk's end wakes it.

#include <memory>
#include <string>
#include <vector>

#include "fabric/fabric_block.h"
#include "models/core_spec.h"
#include "models/core_state.h"
#include "models/event_wheel.h"
#include "models/sram_block.h"
#include "sim/aligned_vector.h"

namespace wafersim::models {

// A program made ready for execution: one a PE class, shared by all blocks.
struct ProgramImage {
  std::vector<DecodedInstruction> code;
  std::map<int, Task> tasks;
  std::uint64_t initially_blocked = 0;
  int completion_task = -1;
};
ProgramImage make_image(const Program& program, const CoreSpec& spec);

// What the block's PEs did for one kernel call, since take_calls(). A PE works on a call from its start to its completion, after that on
// the switch to the next one.
struct CallRecord {
  std::array<std::uint64_t, activities> cycles{};         // summed over PEs
  std::array<std::uint64_t, activities> switch_cycles{};  // the same, of the switch after it
  std::uint64_t macs = 0;                                 // fused multiply-adds of two operands
  fabric::Cycle first_start = EventWheel::never;
  fabric::Cycle last_done = 0;
  void merge(const CallRecord& other);
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cycles, switch_cycles, macs, first_start, last_done);
  }
};

class CoreBlock {
 public:
  using Cycle = fabric::Cycle;

  // pe_class: class of each PE of the block; images by class. All outlive the block.
  // Without arithmetic, words move but no number is computed: times are the same, since none depends on a computed number.
  CoreBlock(const CoreSpec& spec, const std::vector<ProgramImage>& images, std::vector<std::uint8_t> pe_class, fabric::FabricBlock& fabric,
            SramBlock& sram, bool arithmetic = true);

  void activate(std::uint32_t pe, int task, Cycle now);

  // All that happens in cycle `now`, after the fabric's commit of that cycle.
  void step(Cycle now);
  // The first cycle after `now` in which a core has something to do.
  Cycle next_event(Cycle now) const { return wheel_.next(now); }
  // Counts every core's activity up to `now`.
  void account_all(Cycle now);

  const CoreState& state(std::uint32_t pe) const { return cores_[pe]; }
  bool finished(std::uint32_t pe) const {
    return cores_[pe].task < 0 && cores_[pe].microthreads == 0 && (cores_[pe].activated & ~cores_[pe].blocked) == 0;
  }
  std::uint64_t activity(std::uint32_t pe, Activity a) const {
    return counters_[pe * activities + static_cast<std::size_t>(a)] + cores_[pe].cycles[static_cast<std::size_t>(a)];
  }
  std::vector<CallRecord> take_calls();  // REQUIRES account_all() of the cycle up to which they count

  // What a core that does not go on waits for, the task first, then microthreads. Empty: it has nothing to do.
  struct Wait {
    enum class Kind : std::uint8_t { input, output, microthread, unblock } kind = Kind::input;
    fabric::Color color = 0;  // of input and output
    int queue = 0;            // of input and output
    std::string what;         // the instruction, or the task that is blocked
  };
  std::vector<Wait> waits_of(std::uint32_t pe) const;

  // Saves or restores what a new block does not know. REQUIRES no event to come.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cores_, wheel_, counters_, calls_);
    for (CoreState& core : cores_) {
      serialize_instruction(archive, core, core.main);
      for (VectorState& vector : core.microthread) serialize_instruction(archive, core, vector);
    }
  }

 private:
  // Cycles of a chunk by cause; zero in all: nothing could be done.
  struct Chunk {
    std::int64_t busy = 0;
    std::int64_t output_switch = 0;
    std::int64_t task_switch = 0;
    std::int64_t bank_conflict = 0;
    Activity work = Activity::compute;  // what `busy` is
    Activity waits_for = Activity::idle;
    std::int64_t total() const { return busy + output_switch + task_switch + bank_conflict; }
  };

  void step_core(std::uint32_t pe, Cycle now);
  void prefetch_operands(std::uint32_t pe) const;
  void flush(std::uint32_t pe);
  Chunk run_task(std::uint32_t pe, Cycle now);
  bool pick_task(std::uint32_t pe, Cycle now);
  Chunk run_scalars(std::uint32_t pe, Cycle now);
  bool run_scalar(std::uint32_t pe, const Instruction& i, Cycle now, Chunk& chunk);
  bool start_vector(std::uint32_t pe, const DecodedInstruction& decoded, Chunk& chunk);
  void resolve(std::uint32_t pe, const DecodedInstruction& decoded, VectorState& v);
  std::int32_t checked_address(std::uint32_t pe, const Operand& o, const VectorState& v) const;
  Chunk run_vector(std::uint32_t pe, VectorState& v, Cycle now);
  Chunk run_rows(std::uint32_t pe, VectorState& v);
  Chunk run_triggered_row(std::uint32_t pe, VectorState& v, Cycle now);
  Chunk run_wavelet(std::uint32_t pe, VectorState& v, Cycle now);
  void execute(std::uint32_t pe, const VectorState& v, std::uint32_t row, float scalar);
  void execute_map_step(std::uint32_t pe, const VectorState& v, float factor);
  std::int64_t conflicts(const VectorState& v, std::uint32_t row) const;
  void finish(std::uint32_t pe, VectorState& v);
  bool task_can_run(std::uint32_t pe, Cycle now) const;
  std::int32_t value(std::uint32_t pe, const Value& v) const {
    return v.immediate + (v.reg < 0 ? 0 : cores_[pe].reg[static_cast<std::size_t>(v.reg)]);
  }
  CallRecord& record(std::uint16_t call);
  // By its place in the program; behind the last: none.
  template <class Archive>
  void serialize_instruction(Archive& archive, const CoreState& core, VectorState& vector) {
    const std::vector<DecodedInstruction>& code = images_[core.program].code;
    std::uint64_t place = vector.decoded == nullptr ? code.size() : static_cast<std::uint64_t>(vector.decoded - code.data());
    archive(place);
    vector.decoded = place < code.size() ? &code[place] : nullptr;
  }

  bool computes(Opcode op) const { return arithmetic_ || op == Opcode::mov; }

  CoreSpec spec_;
  bool arithmetic_;
  const std::vector<ProgramImage>& images_;
  fabric::FabricBlock& fabric_;
  SramBlock& sram_;
  sim::AlignedVector<CoreState> cores_;
  EventWheel wheel_;
  std::vector<std::uint32_t> now_;       // PEs of the current cycle
  std::vector<std::uint64_t> counters_;  // [pe * activities + activity] beside what the cores still hold
  std::vector<CallRecord> calls_;
};

}  // namespace wafersim::models
