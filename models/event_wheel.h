#pragma once
// Which PEs of a block want to be looked at in which cycle. Duplicates are allowed: looking twice changes nothing.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <queue>
#include <vector>

#include "fabric/geometry.h"

namespace wafersim::models {

class EventWheel {
 public:
  using Cycle = fabric::Cycle;
  static constexpr Cycle never = ~Cycle{0};

  // REQUIRES a cycle that is not before the one last taken.
  void add(std::uint32_t pe, Cycle cycle) {
    if (cycle - now_ < slots) {
      bucket_[cycle & (slots - 1)].push_back(pe);
      used_[(cycle & (slots - 1)) >> 6] |= 1ull << (cycle & 63);
    } else {
      far_.push({cycle, pe});
    }
  }

  // Moves to cycle `now` (never backwards, never past a pending event) and hands over its PEs.
  void take(Cycle now, std::vector<std::uint32_t>& pes) {
    now_ = now;
    while (!far_.empty() && far_.top().cycle - now_ < slots) {
      const Far f = far_.top();
      far_.pop();
      add(f.pe, f.cycle);
    }
    auto& bucket = bucket_[now & (slots - 1)];
    pes.swap(bucket);
    bucket.clear();
    used_[(now & (slots - 1)) >> 6] &= ~(1ull << (now & 63));
  }

  // The first cycle after `now` with an event. REQUIRES take(now), after which nothing may be added for `now` itself.
  Cycle next(Cycle now) const {
    const Cycle far = far_.empty() ? never : far_.top().cycle;
    for (Cycle step = 1; step < slots;) {
      const Cycle cycle = now + step;
      const std::uint64_t word = used_[(cycle & (slots - 1)) >> 6] >> (cycle & 63);
      if (word != 0) return std::min(far, cycle + static_cast<Cycle>(std::countr_zero(word)));
      step += 64 - (cycle & 63);
    }
    return far;
  }

  // REQUIRES no event to come.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(now_);
  }

 private:
  static constexpr Cycle slots = 1024;
  struct Far {
    Cycle cycle;
    std::uint32_t pe;
    bool operator<(const Far& other) const { return cycle > other.cycle || (cycle == other.cycle && pe > other.pe); }
  };
  Cycle now_ = 0;
  std::array<std::vector<std::uint32_t>, slots> bucket_;
  std::array<std::uint64_t, slots / 64> used_{};
  std::priority_queue<Far> far_;
};

}  // namespace wafersim::models
