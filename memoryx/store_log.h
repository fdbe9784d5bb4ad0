#pragma once
// What the parameter store did, for traces: written down by StoreFlow, which never reads it. Cycles of the wafer's clock. A step is that
// whose words, gradients or updates they are, whenever it happened.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace wafersim::memoryx {

struct StoreLog {
  using Cycle = std::uint64_t;

  // Accesses of one memory after another for the same, from when the bytes of the first began to move until those of the last had; in
  // between it may have rested.
  enum class Purpose : std::uint8_t { read, gradient, update };
  static constexpr std::size_t purposes = 3;
  struct Use {
    Purpose purpose = Purpose::read;
    bool in_flash = false;
    int step = 0;
    int item = 0;  // the call of the step whose words are read or whose gradients are kept; the tensor that is updated
    Cycle begin = 0, end = 0;
    double bytes = 0;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(purpose, in_flash, step, item, begin, end, bytes);
    }
  };
  std::vector<Use> uses;  // of a memory and purpose none begins before the one before it has ended
  // Adds an access: to the last of its memory and purpose when it is for the same.
  void add(const Use& use) {
    std::size_t& place = last_[static_cast<std::size_t>(use.purpose) * 2 + (use.in_flash ? 1 : 0)];  // one past it; 0: none
    Use* last = place == 0 ? nullptr : &uses[place - 1];
    if (last != nullptr && last->step == use.step && last->item == use.item) {
      last->end = std::max(last->end, use.end);
      last->bytes += use.bytes;
      return;
    }
    const Cycle begin = last == nullptr ? use.begin : std::max(use.begin, last->end);  // times are rounded
    uses.push_back(use);
    uses.back().begin = begin;
    uses.back().end = std::max(begin, use.end);
    place = uses.size();
  }

  // A block of a call took a place in the read-ahead buffer (change 1) or left it (-1).
  struct Place {
    int step = 0, call = 0;
    Cycle cycle = 0;
    int change = 0;
  };
  std::vector<Place> places;

  // How many tensors' gradients were complete and waited for the optimizer, from `cycle` on.
  struct Waiting {
    int step = 0;
    Cycle cycle = 0;
    std::uint64_t tensors = 0;
  };
  std::vector<Waiting> waiting;

  // The optimizer worked on a tensor; none begins before the one before it has ended.
  struct Update {
    int step = 0, tensor = 0;
    Cycle begin = 0, end = 0;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(step, tensor, begin, end);
    }
  };
  std::vector<Update> updates;

 private:
  std::array<std::size_t, 2 * purposes> last_{};
};

}  // namespace wafersim::memoryx
