#pragma once
// The memories of the parameter store, as the flow of its accesses sees them (store_flow.h), and the times of one.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "memoryx/spec.h"

namespace wafersim::memoryx {

struct StoreAccess {
  bool in_flash = false;
  bool write = false;
  double bytes = 0;
  double run_bytes = 0;  // consecutive bytes, of which whole pages are moved; 0: all of them lie together
};

// Of an access, whole wafer cycles: its bytes move from `begin` to `end`, and it is done by `done`, when they are where they are wanted.
struct StoreTimes {
  std::uint64_t begin = 0, end = 0, done = 0;
};

class StoreMemory {
 public:
  virtual ~StoreMemory() = default;
  // An access that is asked for at `cycle`, which never decreases.
  virtual StoreTimes access(const StoreAccess& access, std::uint64_t cycle) = 0;
};

// Rounding up to whole cycles, of which a thousandth is rounding of its own.
inline std::uint64_t whole_cycles(double cycles) { return static_cast<std::uint64_t>(std::max(0.0, std::ceil(cycles - 1e-3))); }

// A memory: accesses take their bytes over the rate, one after another, and come back a latency later. Times are seconds.
class TierTiming {
 public:
  struct Times {
    double bandwidth = 1;  // bytes/s
    double latency = 0;    // s
    double page = 1;       // bytes
  };
  TierTiming() = default;
  explicit TierTiming(const Times& times) : times_(times) {}

  // When an access is done that is asked for at `seconds`.
  double access(const StoreAccess& access, double seconds) {
    const auto pages = [&](double bytes) { return std::ceil(bytes / times_.page) * times_.page; };
    const double moved = access.run_bytes > 0 ? access.bytes / access.run_bytes * pages(access.run_bytes) : pages(access.bytes);
    begin_ = std::max(free_, seconds);
    free_ = begin_ + moved / times_.bandwidth;
    bytes_ += moved;
    busy_ += moved / times_.bandwidth;
    return free_ + times_.latency;
  }
  // Of the last access: when its bytes began to move, and when they had.
  double begin() const { return begin_; }
  double end() const { return free_; }
  double bytes() const { return bytes_; }  // moved so far
  double busy_seconds() const { return busy_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(free_, bytes_, busy_);
  }

 private:
  Times times_;
  double begin_ = 0;
  double free_ = 0;  // when the bytes of the last access have moved
  double bytes_ = 0, busy_ = 0;
};

inline TierTiming::Times dram_times(const MemoryXSpec& spec) { return {spec.bandwidth, spec.dram_latency, spec.dram_page}; }
inline TierTiming::Times flash_times(const MemoryXSpec& spec) { return {spec.flash_bandwidth, spec.flash_latency, spec.flash_page}; }

// Both memories without anything around them.
class PureStoreMemory : public StoreMemory {
 public:
  PureStoreMemory(const MemoryXSpec& spec, double clock_hz) : clock_(clock_hz), dram_(dram_times(spec)), flash_(flash_times(spec)) {}
  StoreTimes access(const StoreAccess& access, std::uint64_t cycle) override {
    TierTiming& tier = access.in_flash ? flash_ : dram_;
    const double done = tier.access(access, static_cast<double>(cycle) / clock_);
    return {whole_cycles(tier.begin() * clock_), whole_cycles(tier.end() * clock_), whole_cycles(done * clock_)};
  }

 private:
  double clock_;
  TierTiming dram_, flash_;
};

}  // namespace wafersim::memoryx
