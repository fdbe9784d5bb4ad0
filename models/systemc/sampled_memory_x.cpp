#include "models/systemc/sampled_memory_x.h"

#include <algorithm>
#include <fmt/format.h>

#include "memoryx/memory_x.h"
#include "models/systemc/memory_tier.h"
#include "sim/error.h"

namespace wafersim::models {
namespace {

constexpr double value_bytes = 4, stored_bytes = 16;  // a parameter's weight; with gradient and moments
constexpr double access_bytes = 1 << 30;              // at most, of one access
constexpr std::size_t updates_in_flight = 8;          // tensors

// Share of what a call takes of a tensor that comes in one of its blocks.
double share_of(const TensorUse& use, const StreamBlock& block) {
  const double begin = static_cast<double>(block.part) / block.parts, end = static_cast<double>(block.part + 1) / block.parts;
  return std::max(0.0, std::min(end, use.to) - std::max(begin, use.from)) / (use.to - use.from);
}

}  // namespace

SampledMemoryX::SampledMemoryX(const sc_core::sc_module_name& name, const SampledClock& clock)
    : sc_core::sc_module(name), reports("reports"), down("down"), dram("dram"), flash("flash"), clock_(clock) {
  reports.bind(*this);
  SC_HAS_PROCESS(SampledMemoryX);
  SC_THREAD(stream);
  SC_THREAD(collect);
  SC_THREAD(update);
}

void SampledMemoryX::configure(const StepSchedule& schedule, const SampledSpec& spec, int systems, int steps,
                               const std::vector<bool>& skipped) {
  schedule_ = &schedule;
  spec_ = spec;
  systems_ = systems;
  steps_ = steps;
  skipped_ = skipped;
  tensors_.assign(schedule.tensor_elements.size(), {});
  for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_[i].elements = schedule.tensor_elements[i];
  for (const ScheduledCall& call : schedule.calls)
    for (const TensorUse& use : call.gradients) tensors_[static_cast<std::size_t>(use.tensor)].gradients += schedule.micro_batches;
  for (Tensor& tensor : tensors_) tensor.gradients_left = tensor.gradients;
  place_tensors();
  arriving_.clear();
  leaving_.clear();
  read_ = collected_ = gradient_steps_ = updated_steps_ = 0;
  results_.assign(static_cast<std::size_t>(steps), {});
}

void SampledMemoryX::place_tensors() {
  order_.clear();
  std::vector<bool> placed(tensors_.size());
  const auto place = [&](int tensor) {
    if (placed[static_cast<std::size_t>(tensor)]) return;
    placed[static_cast<std::size_t>(tensor)] = true;
    order_.push_back(tensor);
  };
  for (const ScheduledCall& call : schedule_->calls)
    for (const TensorUse& use : call.reads) place(use.tensor);
  for (std::size_t i = 0; i < tensors_.size(); ++i) place(static_cast<int>(i));
  double bytes = 0;
  for (const int i : order_) {
    Tensor& tensor = tensors_[static_cast<std::size_t>(i)];
    bytes += stored_bytes * tensor.elements;
    tensor.in_flash = bytes > spec_.memoryx.dram_capacity;
  }
  if (bytes > spec_.memoryx.capacity)
    throw sim::Error(sim::ErrorCategory::plan,
                     fmt::format("memoryx.capacity = {:.6g} bytes: the model with its gradients and moments takes {:.6g}; choose a smaller "
                                 "model or a larger MemoryX",
                                 spec_.memoryx.capacity, bytes));
}

double SampledMemoryX::access(bool in_flash, double bytes, bool write, double run_bytes, double after) {
  StoreAccess kind;
  kind.write = write;
  kind.run_bytes = run_bytes;
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_IGNORE_COMMAND);
  payload.set_extension(&kind);
  sc_core::sc_time delay = sc_core::sc_time(after / clock_.hertz(), sc_core::SC_SEC);
  for (double left = bytes; left > 0; left -= access_bytes) {
    sc_core::sc_time done = sc_core::sc_time(after / clock_.hertz(), sc_core::SC_SEC);
    payload.set_data_length(static_cast<unsigned>(std::max(1.0, std::min(left, access_bytes))));
    if (in_flash)
      flash->b_transport(payload, done);
    else
      dram->b_transport(payload, done);
    delay = std::max(delay, done);
  }
  payload.clear_extension(&kind);
  return clock_.cycles(delay);
}

double SampledMemoryX::bytes_of(const TensorUse& use) const { return use.elements * (use.own ? systems_ : 1) * value_bytes; }

const LinkLoad& SampledMemoryX::load_of(int call) const {
  const ScheduledCall& scheduled = schedule_->calls[static_cast<std::size_t>(call) % schedule_->calls.size()];
  return schedule_->loads[static_cast<std::size_t>(scheduled.load)];
}

StreamBlock SampledMemoryX::read(StreamBlock block) {
  double there = 0;
  for (const TensorUse& use : schedule_->calls[static_cast<std::size_t>(block.call) % schedule_->calls.size()].reads) {
    const double share = share_of(use, block);
    if (share <= 0) continue;
    const Tensor& tensor = tensors_[static_cast<std::size_t>(use.tensor)];
    const double asked = clock_.now();
    while (tensor.updates < block.step) wait(updates_);
    block.update_wait += clock_.now() - asked;
    const bool turned = tensor.in_flash && use.run > 0;
    if (turned && block.part == 0) copy_to_dram(bytes_of(use));
    there = std::max(there, access(tensor.in_flash && !turned, bytes_of(use) * share, false, use.run * value_bytes, 0));
  }
  block.supply.begin = clock_.now() + there;
  return block;
}

void SampledMemoryX::copy_to_dram(double bytes) {
  wait(clock_.until(clock_.now() + access(true, bytes, false, 0, 0)));
  access(false, bytes, true, 0, 0);
}

void SampledMemoryX::stream() {
  while (true) {
    wait(started_);
    const int calls = static_cast<int>(schedule_->calls.size()) * schedule_->micro_batches;
    for (int step = 0; step < steps_; ++step) {
      while (gradient_steps_ < step) wait(gradients_);
      for (int call = 0; call < calls; ++call)
        for (int part = 0, parts = blocks_of(load_of(call)); part < parts; ++part) {
          wait_for_room();
          down->give(read({step, call, part, parts, {}, 0}));
        }
    }
  }
}

void SampledMemoryX::wait_for_room() {
  for (++read_; read_ > spec_.memoryx.prefetch_blocks; --read_) {
    while (leaving_.empty()) wait(taken_);
    wait(clock_.until(leaving_.front()));
    leaving_.pop_front();
  }
}

void SampledMemoryX::taken(int, const BlockTaken& taken) {
  leaving_.push_back(taken.end);
  taken_.notify(sc_core::SC_ZERO_TIME);
}

void SampledMemoryX::report(int, const BlockReport& report) {
  arriving_.push_back(report);
  reported_.notify(sc_core::SC_ZERO_TIME);
}

void SampledMemoryX::collect() {
  while (true) {
    while (arriving_.empty()) wait(reported_);
    const BlockReport report = arriving_.front();
    arriving_.pop_front();
    if (report.arrived > 0) wait(clock_.until(report.arrived));
    take(report);
  }
}

void SampledMemoryX::take(const BlockReport& report) {
  SampledStep& step = results_[static_cast<std::size_t>(report.step)];
  step.gradients = std::max(step.gradients, report.arrived);
  const int calls = static_cast<int>(schedule_->calls.size());
  for (const TensorUse& use : schedule_->calls[static_cast<std::size_t>(report.call % calls)].gradients) {
    Tensor& tensor = tensors_[static_cast<std::size_t>(use.tensor)];
    const double bytes = bytes_of(use) / blocks_of(load_of(report.call));
    if (report.call >= calls) access(tensor.in_flash, bytes, false, 0, 0);  // adds to what earlier micro-batches left
    access(tensor.in_flash, bytes, true, 0, 0);
    if (report.last) --tensor.gradients_left;
  }
  if (report.last && ++collected_ == calls * schedule_->micro_batches) {
    collected_ = 0;
    ++gradient_steps_;
    if (report.step + 1 < steps_) results_[static_cast<std::size_t>(report.step) + 1].first = step.gradients;
  }
  gradients_.notify(sc_core::SC_ZERO_TIME);
}

int SampledMemoryX::next_to_update(int step) const {
  if (spec_.updates_wait && gradient_steps_ <= step) return -1;
  for (const int i : order_) {
    const Tensor& tensor = tensors_[static_cast<std::size_t>(i)];
    if (tensor.updates == step && !tensor.updating && tensor.gradients_left == 0) return i;
  }
  return -1;
}

// The optimizer works on one tensor after another; while it does, the store already moves those that come next.
void SampledMemoryX::update_step(int step) {
  struct Running {
    int tensor;
    double end;
  };
  std::deque<Running> running;
  const bool skips = !skipped_.empty() && skipped_[static_cast<std::size_t>(step)];
  double end = 0;
  const auto finish_one = [&] {
    wait(clock_.until(running.front().end));
    Tensor& tensor = tensors_[static_cast<std::size_t>(running.front().tensor)];
    tensor.updating = false;
    ++tensor.updates;
    tensor.gradients_left = tensor.gradients;
    running.pop_front();
    updates_.notify(sc_core::SC_ZERO_TIME);
  };
  for (std::size_t left = tensors_.size(); left > 0; --left) {
    int next;
    while ((next = next_to_update(step)) < 0) {
      if (running.empty())
        wait(gradients_);
      else
        finish_one();
    }
    Tensor& tensor = tensors_[static_cast<std::size_t>(next)];
    tensor.updating = true;
    if (left == tensors_.size()) results_[static_cast<std::size_t>(step)].update_begins = clock_.now();
    if (skips) {
      running.push_back({next, clock_.now()});
      finish_one();
      continue;
    }
    const double moved = clock_.now() + access(tensor.in_flash, tensor.elements * memoryx::update_bytes(spec_.optimizer), true, 0, 0);
    end = std::max(moved, std::max(end, clock_.now()) + tensor.elements / spec_.memoryx.optimizer_rate * clock_.hertz());
    running.push_back({next, end});
    if (running.size() == updates_in_flight) finish_one();
  }
  while (!running.empty()) finish_one();
  results_[static_cast<std::size_t>(step)].updated = clock_.now();
}

void SampledMemoryX::update() {
  while (true) {
    wait(started_);
    for (int step = 0; step < steps_; ++step) {
      update_step(step);
      ++updated_steps_;
    }
  }
}

}  // namespace wafersim::models
