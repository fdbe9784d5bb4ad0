#include "models/sampled_system.h"

#include <algorithm>
#include <string>
#include <systemc>

#include "memoryx/swarm_x.h"
#include "models/systemc/kernel.h"
#include "models/systemc/memory_tier.h"
#include "models/systemc/sampled_memory_x.h"
#include "models/systemc/sampled_wafer.h"
#include "models/systemc/swarm_node.h"
#include "sim/error.h"

namespace wafersim::models {

const char* name(WaitCause cause) {
  switch (cause) {
    case WaitCause::weight_link: return "weight_link";
    case WaitCause::store: return "store";
    case WaitCause::update: return "update";
    case WaitCause::gradient_link: return "gradient_link";
  }
  return "?";
}

struct SampledSystem::Parts {
  Parts(int systems, int fanout, bool representative);
  void configure_tree(const StepSchedule& schedule, const SampledSpec& spec);

  int systems;
  CycleClock clock;
  SampledMemoryX memory_x;
  MemoryTier dram, flash;
  std::vector<std::unique_ptr<SwarmNode>> nodes;
  std::vector<std::unique_ptr<SampledWafer>> wafers;
  SwarmNode::Times node_times;
};

SampledSystem::Parts::Parts(int system_count, int fanout, bool representative)
    : systems(system_count), memory_x("memory_x", clock), dram("dram"), flash("flash") {
  memory_x.store.dram.bind(dram.socket);
  memory_x.store.flash.bind(flash.socket);
  for (int i = 0; i < (representative ? 1 : systems); ++i)
    wafers.push_back(std::make_unique<SampledWafer>(("wafer_" + std::to_string(i)).c_str(), i % fanout, clock));
  if (systems == 1) {
    memory_x.down.bind(wafers[0]->down);
    wafers[0]->parent.bind(memory_x.reports);
    return;
  }
  // Levels from the wafers up; each node serves `fanout` of the level below.
  struct End {
    sc_core::sc_export<BlockSink>* down;
    sc_core::sc_port<ReportSink>* parent;
  };
  std::vector<End> level;
  for (const auto& wafer : wafers) level.push_back({&wafer->down, &wafer->parent});
  for (int real = systems, depth = 0, below = fanout; real > 1; real = (real + fanout - 1) / fanout, ++depth, below *= fanout) {
    std::vector<End> above;
    for (std::size_t first = 0; first < level.size(); first += static_cast<std::size_t>(fanout)) {
      const std::size_t last = std::min(level.size(), first + static_cast<std::size_t>(fanout));
      const int place = static_cast<int>(above.size());
      nodes.push_back(std::make_unique<SwarmNode>(("swarm_" + std::to_string(depth) + "_" + std::to_string(place)).c_str(),
                                                  static_cast<int>(last - first), std::min(systems, (place + 1) * below) - place * below,
                                                  place % fanout));
      SwarmNode& node = *nodes.back();
      for (std::size_t i = first; i < last; ++i) {
        node.children.bind(*level[i].down);
        level[i].parent->bind(node.up);
      }
      above.push_back({&node.down, &node.parent});
    }
    level = std::move(above);
  }
  memory_x.down.bind(*level[0].down);
  level[0].parent->bind(memory_x.reports);
}

void SampledSystem::Parts::configure_tree(const StepSchedule& schedule, const SampledSpec& spec) {
  const double word_cycles = 4 / spec.swarmx.bandwidth * spec.clock;
  const double room = static_cast<double>(memoryx::words_held(spec.swarmx, spec.clock, schedule.link)) * schedule.link.channels();
  node_times = {spec.swarmx.latency * spec.clock, word_cycles, room, {}};
  for (const ScheduledCall& call : schedule.calls) {
    const LinkLoad& load = schedule.loads[static_cast<std::size_t>(call.load)];
    SwarmNode::Block block;
    double in = -load.own_in, out = -load.own_out, ahead = -load.own_ahead;
    for (const LinkLoad::Channel& channel : load.in) {
      in += channel.words();
      for (const LinkLoad::Part& part : channel.parts) ahead += part.ports * part.ahead();
    }
    for (const LinkLoad::Channel& channel : load.out) out += channel.words();
    block.start_words = ahead;
    block.words = (in - ahead) / blocks_of(load);
    block.own_words = load.own_in / blocks_of(load);
    block.out_words = out / blocks_of(load);
    node_times.blocks.push_back(block);
  }
  for (const auto& node : nodes) node->configure(&node_times);
}

SampledSystem::SampledSystem(int systems, int fanout, bool representative) {
  prepare_kernel(TimeResolution::picosecond);
  parts_ = std::make_unique<Parts>(systems, fanout, representative);
}

SampledSystem::~SampledSystem() = default;

SampledRun SampledSystem::run(const StepSchedule& schedule, const SampledSpec& spec, int steps, const std::vector<bool>& skipped) {
  Parts& p = *parts_;
  if (sc_core::sc_get_status() == sc_core::SC_ELABORATION) sc_core::sc_start(sc_core::SC_ZERO_TIME);
  p.clock.start(spec.clock);
  p.memory_x.configure(schedule, spec, p.systems, steps, skipped);
  p.configure_tree(schedule, spec);
  for (const auto& wafer : p.wafers) wafer->configure(schedule);
  p.dram.configure(memoryx::dram_times(spec.memoryx));
  p.flash.configure(memoryx::flash_times(spec.memoryx));
  p.memory_x.start();
  sc_core::sc_start();
  if (!p.memory_x.finished())
    throw sim::Error(sim::ErrorCategory::stall, "the sampled step did not end: MemoryX and wafers wait for each other");

  SampledRun run;
  run.steps = p.memory_x.steps();
  const std::size_t calls = schedule.calls.size() * static_cast<std::size_t>(schedule.micro_batches);
  for (std::size_t step = 0; step < run.steps.size(); ++step)
    for (std::size_t call = 0; call < calls; ++call) {
      const auto done = [&](const std::unique_ptr<SampledWafer>& w) { return w->calls()[step * calls + call].done; };
      const auto slowest =
          std::max_element(p.wafers.begin(), p.wafers.end(), [&](const auto& a, const auto& b) { return done(a) < done(b); });
      run.steps[step].calls.push_back((*slowest)->calls()[step * calls + call]);
      if (p.nodes.empty()) continue;
      SampledCall& made = run.steps[step].calls.back();
      made.given = p.nodes.back()->down_spans()[step * calls + call];
      made.gathered = p.nodes.back()->up_spans()[step * calls + call];
    }
  run.in_busy = p.wafers[0]->in().busy_cycles();
  run.out_busy = p.wafers[0]->out().busy_cycles();
  run.words_in = p.wafers[0]->in().words();
  run.words_out = p.wafers[0]->out().words();
  run.dram = {p.dram.timing().bytes(), p.dram.timing().busy_seconds() * spec.clock};
  run.flash = {p.flash.timing().bytes(), p.flash.timing().busy_seconds() * spec.clock};
  return run;
}

}  // namespace wafersim::models
