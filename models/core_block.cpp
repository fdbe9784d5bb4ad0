#include "models/core_block.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

#include "sim/error.h"

namespace wafersim::models {

ProgramImage make_image(const Program& program, const CoreSpec& spec) {
  check_program(program);
  ProgramImage image;
  for (const Instruction& i : program.code) {
    using Kind = Operand::Kind;
    const bool map_step = i.op == Opcode::fma && i.dst.type == sim::Dtype::f32 && i.dst.element_stride == 1 && i.a.kind == Kind::memory &&
                          i.a.element_stride == 1 && i.b.kind == Kind::input && i.b.element_stride == 0;
    const auto contiguous = [](const Operand& o) { return o.kind != Kind::memory || o.element_stride == 1; };
    const bool moves_words =
        i.op == Opcode::mov && i.a.kind != Kind::immediate && i.a.type == i.dst.type && contiguous(i.a) && contiguous(i.dst);
    image.code.push_back({i, is_vector(i.op) ? cost_of(i, spec) : InstructionCost{}, map_step, moves_words});
  }
  image.tasks = program.tasks;
  image.completion_task = program.completion_task;
  for (const auto& [id, task] : program.tasks)
    if (task.blocked) image.initially_blocked |= 1ull << id;
  return image;
}

void CallRecord::merge(const CallRecord& other) {
  for (std::size_t a = 0; a < cycles.size(); ++a) cycles[a] += other.cycles[a], switch_cycles[a] += other.switch_cycles[a];
  macs += other.macs;
  first_start = std::min(first_start, other.first_start);
  last_done = std::max(last_done, other.last_done);
}

CoreBlock::CoreBlock(const CoreSpec& spec, const std::vector<ProgramImage>& images, std::vector<std::uint8_t> pe_class,
                     fabric::FabricBlock& fabric, SramBlock& sram, bool arithmetic)
    : spec_(spec),
      arithmetic_(arithmetic),
      images_(images),
      fabric_(fabric),
      sram_(sram),
      cores_(pe_class.size()),
      counters_(pe_class.size() * activities) {
  for (std::size_t pe = 0; pe < pe_class.size(); ++pe) {
    cores_[pe].program = pe_class[pe];
    cores_[pe].blocked = images[pe_class[pe]].initially_blocked;
  }
}

void CoreBlock::activate(std::uint32_t pe, int task, Cycle now) {
  cores_[pe].activated |= 1ull << task;
  wheel_.add(pe, now);
}

void CoreBlock::step(Cycle now) {
  now_.clear();
  for (const fabric::FabricBlock::Wake& wake : fabric_.wakes()) wheel_.add(wake.pe, std::max(wake.cycle, now));
  fabric_.wakes().clear();
  wheel_.take(now, now_);
  constexpr std::size_t ahead = 4;  // cores are spread over more memory than the caches hold
  for (std::size_t k = 0; k < now_.size(); ++k) {
    if (k + 2 * ahead < now_.size()) {
      const auto* next = reinterpret_cast<const char*>(&cores_[now_[k + 2 * ahead]]);
      for (int line = 0; line < 4; ++line) __builtin_prefetch(next + 64 * line);
    }
    if (k + ahead < now_.size()) prefetch_operands(now_[k + ahead]);
    step_core(now_[k], now);
  }
}

void CoreBlock::prefetch_operands(std::uint32_t pe) const {
  fabric_.prefetch_inputs(pe);
  const VectorState& v = cores_[pe].main;
  if (v.decoded == nullptr || !computes(v.decoded->ins.op)) return;
  const Operand& a = v.decoded->ins.a;
  __builtin_prefetch(sram_.at(pe, v.a + static_cast<std::int32_t>(v.row) * a.row_stride * sim::bytes_of(a.type)));
  __builtin_prefetch(sram_.at(pe, v.dst), 1);
}

CallRecord& CoreBlock::record(std::uint16_t call) {
  if (call >= calls_.size()) calls_.resize(call + 1u);
  return calls_[call];
}

// Counts for the PE and its call what the core has done since the last time.
void CoreBlock::flush(std::uint32_t pe) {
  CoreState& core = cores_[pe];
  CallRecord& call = record(core.call);
  for (std::size_t a = 0; a < activities; ++a) {
    counters_[pe * activities + a] += core.cycles[a];
    (core.between_calls ? call.switch_cycles : call.cycles)[a] += core.cycles[a];
  }
  call.macs += core.macs;
  core.cycles.fill(0);
  core.macs = 0;
}

void CoreBlock::account_all(Cycle now) {
  for (std::uint32_t pe = 0; pe < cores_.size(); ++pe) {
    CoreState& core = cores_[pe];
    if (core.accounted < now) {
      core.cycles[static_cast<std::size_t>(core.waits_for)] += now - core.accounted;
      core.accounted = now;
    }
    flush(pe);
  }
}

std::vector<CallRecord> CoreBlock::take_calls() {
  std::vector<CallRecord> taken;
  taken.swap(calls_);
  return taken;
}

void CoreBlock::step_core(std::uint32_t pe, Cycle now) {
  CoreState& core = cores_[pe];
  if (now < core.accounted) return;  // still busy
  core.cycles[static_cast<std::size_t>(core.waits_for)] += now - core.accounted;
  core.accounted = now;
  const auto count = [&core](Activity what, std::int64_t cycles) {
    core.cycles[static_cast<std::size_t>(what)] += static_cast<Cycle>(cycles);
    core.accounted += static_cast<Cycle>(cycles);
  };
  Chunk chunk;
  Activity waits_for = Activity::idle;
  if (core.microthreads == 0) {
    chunk = run_task(pe, now);
    waits_for = chunk.waits_for;
  }
  if (chunk.total() == 0 && core.microthreads != 0) {  // also when the task has just started one
    for (int turn = 1; turn <= 9; ++turn) {
      const int context = (core.last_served + turn) % 9;
      if (context != 0 && !(core.microthreads >> (context - 1) & 1)) continue;
      chunk = context == 0 ? run_task(pe, now) : run_vector(pe, core.microthread[static_cast<std::size_t>(context - 1)], now);
      if (chunk.waits_for != Activity::idle && (context == 0 || waits_for == Activity::idle)) waits_for = chunk.waits_for;
      if (chunk.total() == 0) continue;
      core.last_served = static_cast<std::uint8_t>(context);
      if (context != 0 && task_can_run(pe, now)) {
        count(Activity::shared_datapath, chunk.total());
        chunk.busy = chunk.output_switch = chunk.task_switch = chunk.bank_conflict = 0;
      }
      break;
    }
  }
  count(chunk.work, chunk.busy);
  count(Activity::output_switch, chunk.output_switch);
  count(Activity::task_switch, chunk.task_switch);
  count(Activity::bank_conflict, chunk.bank_conflict);
  core.waits_for = waits_for;
  if (core.accounted > now) {
    fabric_.core_awake(pe);
    wheel_.add(pe, core.accounted);
    return;
  }
  const Cycle arrival = fabric_.core_sleeps(pe, now);
  if (arrival != EventWheel::never) wheel_.add(pe, arrival);
}

// Whether the running task has a chunk that only lacks the datapath.
bool CoreBlock::task_can_run(std::uint32_t pe, Cycle now) const {
  const CoreState& core = cores_[pe];
  const VectorState& v = core.main;
  if (v.decoded == nullptr) return core.task >= 0;
  fabric::FabricBlock::Arrived head;
  const Operand* in = v.decoded->arriving();
  if (in != nullptr && !v.holds_half && !fabric_.peek(pe, in->queue, now, &head)) return false;
  const Operand& dst = v.decoded->ins.dst;
  return dst.kind != Operand::Kind::output || fabric_.can_send(pe, core.output_color[dst.queue], spec_.output_queue_words[dst.queue]);
}

CoreBlock::Chunk CoreBlock::run_task(std::uint32_t pe, Cycle now) {
  CoreState& core = cores_[pe];
  for (;;) {  // until something takes time or cannot go on
    Chunk chunk;
    if (core.main.decoded != nullptr) {
      chunk = run_vector(pe, core.main, now);
      if (chunk.total() > 0 || core.main.decoded != nullptr) return chunk;
    }
    if (core.task < 0) {
      if (!pick_task(pe, now)) return {};
      if (spec_.task_switch_cycles > 0) {
        chunk.task_switch = spec_.task_switch_cycles;
        return chunk;
      }
    }
    chunk = run_scalars(pe, now);
    if (chunk.total() > 0 || core.task >= 0) return chunk;
  }
}

// The fixed picker: among the tasks that can run, the one with the lowest id. Control tasks have their wavelet at the head of a queue.
bool CoreBlock::pick_task(std::uint32_t pe, Cycle now) {
  CoreState& core = cores_[pe];
  const ProgramImage& image = images_[core.program];
  int best = task_count, best_queue = -1;
  std::uint32_t payload = 0;
  const std::uint64_t local = core.activated & ~core.blocked;
  if (local != 0) best = std::countr_zero(local);
  for (int queue = 0; queue < fabric::FabricBlock::input_queues; ++queue) {
    fabric::FabricBlock::Arrived head;
    if (!fabric_.peek(pe, queue, now, &head)) continue;
    for (const auto& [id, task] : image.tasks) {
      if (id >= best || (core.blocked >> id & 1)) continue;
      const bool starts = head.control ? task.kind == Task::Kind::control && fabric::control_task(head.payload) == id
                                       : task.kind == Task::Kind::data && task.queue == queue;
      if (!starts) continue;
      best = id;
      best_queue = queue;
      payload = head.payload;
    }
  }
  if (best == task_count) return false;
  const auto found = image.tasks.find(best);
  sim::require_invariant(found != image.tasks.end(), "an activated task exists");
  const Task& task = found->second;
  if (best_queue < 0) {
    core.activated &= ~(1ull << best);
  } else {
    fabric_.pop(pe, best_queue);
    const bool control = task.kind == Task::Kind::control;
    if (task.payload_register >= 0)
      core.reg[static_cast<std::size_t>(task.payload_register)] =
          static_cast<std::int32_t>(control ? fabric::control_number(payload) : payload);
    if (control) {
      flush(pe);
      core.between_calls = false;
      core.call = static_cast<std::uint16_t>(fabric::control_number(payload));
      record(core.call).first_start = std::min(record(core.call).first_start, now);
    }
  }
  if (best == image.completion_task) {
    flush(pe);
    core.between_calls = true;
  }
  core.task = static_cast<std::int16_t>(best);
  core.pc = task.entry;
  core.loop_depth = 0;
  return true;
}

std::vector<CoreBlock::Wait> CoreBlock::waits_of(std::uint32_t pe) const {
  const CoreState& core = cores_[pe];
  std::vector<Wait> waits;
  const auto add = [&](const VectorState& v) {
    const Instruction& i = v.decoded->ins;
    const std::string what = fmt::format("{}, row {}, element {}", disassemble(i), v.row, v.element);
    const Operand* in = v.decoded->arriving();
    if (in != nullptr && !v.holds_half && fabric_.waiting_in_input(pe, in->queue) == 0)
      return waits.push_back({Wait::Kind::input, fabric_.bound_color(pe, in->queue), in->queue, what});
    if (i.dst.kind == Operand::Kind::output) waits.push_back({Wait::Kind::output, core.output_color[i.dst.queue], i.dst.queue, what});
  };
  if (core.main.decoded != nullptr) {
    add(core.main);
  } else if (core.task >= 0) {
    waits.push_back({Wait::Kind::microthread, 0, 0, disassemble(images_[core.program].code[static_cast<std::size_t>(core.pc)].ins)});
  }
  for (std::size_t k = 0; k < core.microthread.size(); ++k)
    if (core.microthreads >> k & 1) add(core.microthread[k]);
  for (const auto& [id, task] : images_[core.program].tasks)
    if (core.activated & core.blocked & (1ull << id)) waits.push_back({Wait::Kind::unblock, 0, 0, task.name});
  return waits;
}

}  // namespace wafersim::models
