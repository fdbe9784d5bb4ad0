#include "memoryx/store_flow.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <utility>

#include "memoryx/link_timing.h"
#include "sim/error.h"

namespace wafersim::memoryx {
namespace {

constexpr double value_bytes = 4, stored_bytes = 16;  // a parameter's weight; with gradient and moments
constexpr std::size_t updates_in_flight = 8;          // tensors

}  // namespace

int update_bytes(OptimizerSpec::Kind kind) {
  switch (kind) {
    case OptimizerSpec::Kind::adamw: return 28;  // reads w, g, m, v; writes w, m, v
    case OptimizerSpec::Kind::sgd: return 12;    // reads w, g; writes w
  }
  return 0;
}

StoreFlow::StoreFlow(const MemoryXSpec& spec, const Rules& rules, StepWork work, StoreMemory& memory)
    : spec_(spec), rules_(rules), work_(std::move(work)), memory_(memory), tensors_(work_.tensor_elements.size()) {
  for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_[i].elements = work_.tensor_elements[i];
  for (const CallWork& call : work_.calls)
    for (const TensorUse& use : call.gradients) tensor(use).gradients += work_.micro_batches;
  for (Tensor& tensor : tensors_) tensor.gradients_left = tensor.gradients;
  left_ = tensors_.size();
  place_tensors();
}

void StoreFlow::place_tensors() {
  std::vector<bool> placed(tensors_.size());
  double bytes = 0;
  int places = 0;
  const auto place = [&](std::size_t i) {
    if (placed[i]) return;
    placed[i] = true;
    bytes += stored_bytes * tensors_[i].elements;
    tensors_[i].in_flash = bytes > spec_.dram_capacity;
    tensors_[i].place = places++;
  };
  for (const CallWork& call : work_.calls)
    for (const TensorUse& use : call.reads) place(static_cast<std::size_t>(use.tensor));
  for (std::size_t i = 0; i < tensors_.size(); ++i) place(i);
  if (bytes > spec_.capacity)
    throw sim::Error(sim::ErrorCategory::plan,
                     fmt::format("memoryx.capacity = {:.6g} bytes: the model with its gradients and moments takes {:.6g}; choose a smaller "
                                 "model or a larger MemoryX",
                                 spec_.capacity, bytes));
}

double StoreFlow::share(const TensorUse& use, int number, int part) const {
  const double parts = call(number).parts, begin = part / parts, end = (part + 1) / parts;
  return std::max(0.0, std::min(end, use.to) - std::max(begin, use.from)) / (use.to - use.from);
}

bool StoreFlow::reads(int number, int part) const {
  const std::vector<TensorUse>& uses = call(number).reads;
  return std::any_of(uses.begin(), uses.end(), [&](const TensorUse& use) { return share(use, number, part) > 0; });
}

double StoreFlow::bytes_of(const TensorUse& use) const { return use.elements * (use.own ? work_.systems : 1) * value_bytes; }

void StoreFlow::begin_step(Cycle cycle) {
  sim::require_invariant(step_ == begun_, "a step's words have been read when the next begins");
  began_ = cycle;
  ++begun_;
  for (std::size_t i = 0; i < tensors_.size(); ++i)
    if (tensors_[i].gradients == 0) gradient_complete(begun_ - 1, static_cast<int>(i), cycle);
}

void StoreFlow::gradient(int call, double share, bool last, Cycle cycle) { arrivals_.push_back({begun_ - 1, call, share, last, cycle}); }

void StoreFlow::end_step(Cycle cycle, bool skipped) {
  ++ended_;
  ended_at_ = cycle;
  skipped_ = skipped;
  if (tensors_.empty()) close_step(cycle);
}

void StoreFlow::advance(Cycle now) {
  while (true) {
    const std::optional<Reading> reading = next_reading();
    const Cycle arrives = next_arrival(), finishes = running_.empty() ? never : running_.front().end, starts = next_start();
    const Cycle reads = reading ? reading->cycle : never, next = std::min({reads, arrives, finishes, starts});
    if (next > now || next == never) return;
    if (arrives == next) {
      take(arrivals_.front());
      arrivals_.pop_front();
    } else if (finishes == next) {
      finish_update();
    } else if (starts == next) {
      start_update(next);
    } else {
      read(*reading);
    }
  }
}

StoreFlow::Cycle StoreFlow::next_event() const {
  const std::optional<Reading> reading = next_reading();
  return std::min({reading ? reading->cycle : never, next_arrival(), running_.empty() ? never : running_.front().end, next_start()});
}

std::optional<StoreFlow::Reading> StoreFlow::next_reading() const {
  if (step_ == begun_) return std::nullopt;
  Cycle asked = std::max(reader_, began_);
  if (!has_place_ && held_ == spec_.prefetch_blocks && reads(call_, part_)) {
    if (leaving_.empty()) return std::nullopt;
    asked = std::max(asked, leaving_.front());
  }
  Cycle cycle = asked;
  for (const TensorUse& use : call(call_).reads) {
    if (share(use, call_, part_) <= 0 && !(part_ == 0 && is_copied(use))) continue;
    if (tensor(use).updates < step_) return std::nullopt;
    cycle = std::max(cycle, tensor(use).updated);
  }
  return Reading{asked, cycle};
}

// Returns when it is done.
StoreFlow::Cycle StoreFlow::access(StoreLog::Purpose purpose, int step, int item, const StoreAccess& access, Cycle now) {
  const StoreTimes times = memory_.access(access, now);
  log_.add({purpose, access.in_flash, step, item, times.begin, times.end, access.bytes});
  return times.done;
}

void StoreFlow::read(const Reading& reading) {
  const Cycle now = reader_ = reading.cycle;
  if (!has_place_ && reads(call_, part_)) {
    if (held_ < spec_.prefetch_blocks)
      ++held_;
    else
      leaving_.pop_front();
    has_place_ = true;
    log_.places.push_back({step_, call_, now, 1});
  }
  update_wait_ += now - reading.asked;
  if (to_write_ > 0) {
    access(StoreLog::Purpose::read, step_, call_, {false, true, std::exchange(to_write_, 0.0), 0}, now);
    ++copied_;
  }
  const std::vector<TensorUse>& uses = call(call_).reads;
  for (; part_ == 0 && copied_ < uses.size(); ++copied_)
    if (is_copied(uses[copied_])) {
      to_write_ = bytes_of(uses[copied_]);
      reader_ = access(StoreLog::Purpose::read, step_, call_, {true, false, to_write_, 0}, now);
      return;
    }
  Read block{call_, part_, now, update_wait_};
  for (const TensorUse& use : uses)
    if (const double bytes = std::ceil(bytes_of(use) * share(use, call_, part_)); bytes > 0)
      block.ready = std::max(block.ready, access(StoreLog::Purpose::read, step_, call_,
                                                 {tensor(use).in_flash && !is_copied(use), false, bytes, use.run * value_bytes}, now));
  reads_.push_back(block);
  has_place_ = false;
  update_wait_ = 0;
  copied_ = 0;
  if (++part_ < call(call_).parts) return;
  part_ = 0;
  if (++call_ < static_cast<int>(work_.calls.size()) * work_.micro_batches) return;
  call_ = 0;
  ++step_;
}

StoreFlow::Cycle StoreFlow::next_arrival() const { return arrivals_.empty() ? never : std::max(collector_, arrivals_.front().cycle); }

void StoreFlow::take(const Arrival& arrival) {
  const Cycle now = collector_ = next_arrival();
  const int calls = static_cast<int>(work_.calls.size());
  for (const TensorUse& use : work_.calls[static_cast<std::size_t>(arrival.call % calls)].gradients) {
    Tensor& tensor = tensors_[static_cast<std::size_t>(use.tensor)];
    const double bytes = std::ceil(bytes_of(use) * arrival.share);
    const auto move = [&](bool write) {
      access(StoreLog::Purpose::gradient, arrival.step, arrival.call, {tensor.in_flash, write, bytes, 0}, now);
    };
    if (arrival.call >= calls) move(false);  // adds to what earlier micro-batches left
    move(true);
    if (arrival.last && --tensor.gradients_left == 0) gradient_complete(arrival.step, use.tensor, now);
  }
}

void StoreFlow::gradient_complete(int step, int number, Cycle cycle) {
  Tensor& tensor = tensors_[static_cast<std::size_t>(number)];
  tensor.complete = cycle;
  updatable_.push({step, tensor.place, number});
  log_.waiting.push_back({step, cycle, updatable_.size()});
}

bool StoreFlow::may_start_update() const {
  if (running_.size() == updates_in_flight || updatable_.empty() || updatable_.top().step != updating_) return false;
  return !rules_.updates_wait || ended_ > updating_;
}

StoreFlow::Cycle StoreFlow::next_start() const {
  if (!may_start_update()) return never;
  const Cycle complete = tensors_[static_cast<std::size_t>(updatable_.top().tensor)].complete;
  return std::max({updater_, complete, rules_.updates_wait ? ended_at_ : 0});
}

void StoreFlow::start_update(Cycle now) {
  const int number = updatable_.top().tensor;
  updatable_.pop();
  log_.waiting.push_back({updating_, now, updatable_.size()});
  const Tensor& tensor = tensors_[static_cast<std::size_t>(number)];
  if (left_ == tensors_.size()) begins_ = now;
  --left_;
  updater_ = now;
  if (ended_ > updating_ && skipped_ && now >= ended_at_) {
    running_.push_back({number, running_.empty() ? now : std::max(now, running_.back().end)});
    return;
  }
  const double bytes = std::ceil(tensor.elements * update_bytes(rules_.optimizer));
  const Cycle moved = access(StoreLog::Purpose::update, updating_, number, {tensor.in_flash, true, bytes, 0}, now);
  const Cycle begin = std::max(optimizer_, now);
  optimizer_ = std::max(moved, begin + whole_cycles(tensor.elements / spec_.optimizer_rate * rules_.clock));
  log_.updates.push_back({updating_, number, begin, optimizer_});
  running_.push_back({number, optimizer_});
}

void StoreFlow::finish_update() {
  Tensor& tensor = tensors_[static_cast<std::size_t>(running_.front().tensor)];
  updater_ = tensor.updated = running_.front().end;
  tensor.updates = updating_ + 1;
  tensor.gradients_left = tensor.gradients;
  running_.pop_front();
  if (left_ == 0 && running_.empty()) close_step(tensor.updated);
}

void StoreFlow::close_step(Cycle cycle) {
  updates_.push_back({updating_, tensors_.empty() ? cycle : begins_, cycle});
  ++updating_;
  left_ = tensors_.size();
}

std::optional<StoreFlow::Read> StoreFlow::next_read() {
  if (reads_.empty()) return std::nullopt;
  const Read next = reads_.front();
  reads_.pop_front();
  return next;
}

std::optional<StoreFlow::Updates> StoreFlow::next_updates() {
  if (updates_.empty()) return std::nullopt;
  const Updates next = updates_.front();
  updates_.pop_front();
  return next;
}

}  // namespace wafersim::memoryx
