#pragma once
// What the parameter store does, in time: reads what the calls need ahead of the link, into a buffer of some blocks; takes gradients;
// updates tensor after tensor. The same for wafers that are simulated wavelet by wavelet and in blocks. Pure; how long an access takes
// says StoreMemory; times are whole wafer cycles.
//
// Tensors lie in DRAM in the order in which a step first reads them, as far as it reaches, the others in flash. A block is read when the
// buffer has a place and the tensors that it takes values from have been updated. What a call reads across its rows is copied from flash
// as it lies, all of it, and read across in DRAM. Gradients of later micro-batches are added to those that are there. A tensor's update
// starts when its gradient is there or, where updates wait, that of the whole step; of several the one that a step reads first goes first.
// The optimizer works on one after another; while it does, the memory already moves those that come next.
//
// Contract: what happens (begin_step, taken, gradient, end_step) is told in the order of a step, at the latest at its cycle, which may lie
// ahead; call advance(c) after that and at every cycle that next_event() names.

#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "memoryx/optimizer.h"
#include "memoryx/spec.h"
#include "memoryx/store_log.h"
#include "memoryx/store_memory.h"
#include "memoryx/store_work.h"

namespace wafersim::memoryx {

// Bytes of the store that the update of a parameter reads and writes: weight, gradient and moments.
int update_bytes(OptimizerSpec::Kind kind);

class StoreFlow {
 public:
  using Cycle = std::uint64_t;

  struct Rules {
    double clock = 0;  // Hz
    OptimizerSpec::Kind optimizer = OptimizerSpec::Kind::adamw;
    bool updates_wait = true;  // for the step's last gradient: clipping or dynamic loss scaling
  };
  // memory outlives the flow. Throws Error(plan) when the store is too large.
  StoreFlow(const MemoryXSpec& spec, const Rules& rules, StepWork work, StoreMemory& memory);

  // The words of a step may be read from `cycle` on. REQUIRES that those of the step before have been read.
  void begin_step(Cycle cycle);
  // A block that has been read leaves the buffer at `cycle`: its last word is on the link, or in SwarmX. Each once, of none that is not
  // read yet; of those that hold nothing it may be told at once.
  void taken(int call, int part, Cycle cycle) {
    if (!reads(call, part)) return;
    leaving_.push_back(cycle);
    log_.places.push_back({begun_ - 1, call, cycle, -1});
  }
  // `share` of a call's gradients arrive at `cycle`; `last`: no more will.
  void gradient(int call, double share, bool last, Cycle cycle);
  // All gradients of the step have arrived by `cycle`. A skipped step updates nothing that is not being updated.
  void end_step(Cycle cycle, bool skipped);

  void advance(Cycle now);
  // When something happens by itself, or never.
  Cycle next_event() const;

  // A block of a call, numbered micro-batch after micro-batch, has been read.
  struct Read {
    int call = 0, part = 0;
    Cycle ready = 0;        // its words are there from then on
    Cycle update_wait = 0;  // of which so many cycles went by waiting for updates
    template <class Archive>
    void serialize(Archive& archive) {
      archive(call, part, ready, update_wait);
    }
  };
  std::optional<Read> next_read();  // in order, each once
  // A step whose updates are all done.
  struct Updates {
    int step = 0;
    Cycle begin = 0, end = 0;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(step, begin, end);
    }
  };
  std::optional<Updates> next_updates();
  // What has been written down since this was asked last.
  StoreLog take_log() { return std::exchange(log_, {}); }

  // Saves or restores what a new store does not know.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(tensors_, begun_, began_, step_, call_, part_, reader_, held_, leaving_, has_place_, update_wait_, copied_, to_write_, reads_,
            arrivals_, collector_, ended_, ended_at_, skipped_, updating_, left_, begins_, updater_, optimizer_, updatable_, running_,
            updates_);
  }

 private:
  struct Tensor {
    double elements = 0;
    bool in_flash = false;
    int place = 0;           // in the order of first use
    int gradients = 0;       // calls of a step that make a part of its gradient
    int gradients_left = 0;  // in the step whose gradients arrive
    Cycle complete = 0;      // when the last of them had come
    int updates = 0;         // steps after which it has been updated, the last of them
    Cycle updated = 0;       // then
    template <class Archive>
    void serialize(Archive& archive) {
      archive(elements, in_flash, place, gradients, gradients_left, complete, updates, updated);
    }
  };
  struct Arrival {
    int step, call;
    double share;
    bool last;
    Cycle cycle;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(step, call, share, last, cycle);
    }
  };
  struct Running {
    int tensor;
    Cycle end;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(tensor, end);
    }
  };
  // A tensor whose gradient is there, in the order in which they are updated.
  struct Updatable {
    int step, place, tensor;
    bool operator<(const Updatable& other) const { return std::pair(step, place) > std::pair(other.step, other.place); }
    template <class Archive>
    void serialize(Archive& archive) {
      archive(step, place, tensor);
    }
  };

  void place_tensors();
  const CallWork& call(int number) const { return work_.calls[static_cast<std::size_t>(number) % work_.calls.size()]; }
  Tensor& tensor(const TensorUse& use) { return tensors_[static_cast<std::size_t>(use.tensor)]; }
  const Tensor& tensor(const TensorUse& use) const { return tensors_[static_cast<std::size_t>(use.tensor)]; }
  // Of what a call takes of a tensor, what comes in a part of it.
  double share(const TensorUse& use, int call, int part) const;
  // Whether a block takes anything from the store, and so a place in the buffer.
  bool reads(int call, int part) const;
  bool is_copied(const TensorUse& use) const { return tensor(use).in_flash && use.run > 0; }
  double bytes_of(const TensorUse& use) const;

  struct Reading {
    Cycle asked, cycle;  // without waiting for updates; with
  };
  std::optional<Reading> next_reading() const;
  Cycle next_arrival() const;
  bool may_start_update() const;
  Cycle next_start() const;
  Cycle access(StoreLog::Purpose purpose, int step, int item, const StoreAccess& access, Cycle now);
  void read(const Reading& reading);
  void take(const Arrival& arrival);
  void start_update(Cycle now);
  void finish_update();
  void gradient_complete(int step, int tensor, Cycle cycle);
  void close_step(Cycle cycle);

  MemoryXSpec spec_;
  Rules rules_;
  StepWork work_;
  StoreMemory& memory_;
  std::vector<Tensor> tensors_;

  // Reading.
  int begun_ = 0;  // steps
  Cycle began_ = 0;
  int step_ = 0, call_ = 0, part_ = 0;  // of the next block
  Cycle reader_ = 0;                    // when it last did something
  int held_ = 0;                        // places taken in the buffer, those that are free from when leaving_ says included
  std::deque<Cycle> leaving_;           // cycles from which on places are free
  bool has_place_ = false;              // the next block
  Cycle update_wait_ = 0;               // of the next block
  std::size_t copied_ = 0;              // of its call's reads, those that need no copy any more
  double to_write_ = 0;                 // bytes that have come from flash and are to be written to DRAM
  std::deque<Read> reads_;

  std::deque<Arrival> arrivals_;
  Cycle collector_ = 0;

  // Updating.
  int ended_ = 0;  // steps whose gradients are complete
  Cycle ended_at_ = 0;
  bool skipped_ = false;  // the last of them
  int updating_ = 0;      // the step
  std::size_t left_ = 0;  // tensors whose update of it has not started
  Cycle begins_ = 0, updater_ = 0, optimizer_ = 0;
  std::priority_queue<Updatable> updatable_;
  std::deque<Running> running_;
  std::deque<Updates> updates_;
  StoreLog log_;
};

}  // namespace wafersim::memoryx
