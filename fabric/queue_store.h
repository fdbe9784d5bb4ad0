#pragma once
// The queues between routers: a record each, its words beside its state, so that a queue of up to 8 words is one cache line.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

#include "fabric/geometry.h"
#include "sim/aligned_vector.h"

namespace wafersim::fabric {

struct RouterWord {
  std::uint32_t payload = 0;
  bool control = false;
  bool advance = false;  // moves the switch of this router once it has passed
};

// A color's queue at a router with the switch position in force. The first `arrived` of its `count` wavelets may move; the others are on
// their way.
struct RouterQueue {
  static constexpr std::uint8_t unbound = 255;
  std::uint8_t head = 0, count = 0, arrived = 0;
  DirectionMask in = 0, out = 0;
  std::uint8_t position = 0;
  std::uint8_t route = 0;        // index of the route
  std::uint8_t input = unbound;  // the core's queue for this color
  bool filtered = false;
  bool shared = false;             // some switch position listens to several inputs
  std::uint32_t last_arrival = 0;  // low bits of the cycle from which the last wavelet may move
};

class QueueStore {
 public:
  // capacity: words of a queue, a power of two, at most 128.
  QueueStore(std::size_t queues, unsigned capacity)
      : wrap_(capacity - 1),
        stride_log2_(std::bit_width(std::max(sizeof(RouterQueue) + 5 * capacity, std::size_t{64}) - 1)),
        bytes_(queues << stride_log2_) {
    for (std::size_t i = 0; i < queues; ++i) ::new (&bytes_[i << stride_log2_]) RouterQueue;
  }

  RouterQueue& operator[](std::size_t i) { return *reinterpret_cast<RouterQueue*>(bytes_.data() + (i << stride_log2_)); }
  const RouterQueue& operator[](std::size_t i) const { return *reinterpret_cast<const RouterQueue*>(bytes_.data() + (i << stride_log2_)); }

  // REQUIRES a wavelet (a place) in the queue.
  RouterWord front(const RouterQueue& queue) const {
    RouterWord word;
    const std::byte* record = reinterpret_cast<const std::byte*>(&queue) + sizeof(RouterQueue);
    __builtin_memcpy(&word.payload, record + 4u * queue.head, 4);
    const auto flags = static_cast<unsigned>(record[4 * (wrap_ + 1) + queue.head]);
    word.control = (flags & 1) != 0;
    word.advance = (flags & 2) != 0;
    return word;
  }
  void push(RouterQueue& queue, const RouterWord& word) {
    std::byte* record = reinterpret_cast<std::byte*>(&queue) + sizeof(RouterQueue);
    const unsigned place = (queue.head + queue.count) & wrap_;
    __builtin_memcpy(record + 4u * place, &word.payload, 4);
    record[4 * (wrap_ + 1) + place] = static_cast<std::byte>((word.control ? 1u : 0u) | (word.advance ? 2u : 0u));
    ++queue.count;
  }
  // The word goes in front of those from `place` on (counted from the front), marked with the direction that it comes from: a direction's
  // words in a shared queue are counted by their marks.
  void insert(RouterQueue& queue, unsigned place, const RouterWord& word, Direction from) {
    push(queue, word);
    std::byte* record = reinterpret_cast<std::byte*>(&queue) + sizeof(RouterQueue);
    std::byte* flags = record + std::size_t{4} * (wrap_ + 1);
    flags[(queue.head + queue.count - 1u) & wrap_] |= static_cast<std::byte>(from << flag_bits);
    for (unsigned k = queue.count - 1u; k > place; --k) {
      const unsigned later = (queue.head + k) & wrap_, sooner = (queue.head + k - 1) & wrap_;
      std::swap_ranges(record + std::size_t{4} * later, record + std::size_t{4} * later + 4, record + std::size_t{4} * sooner);
      std::swap(flags[later], flags[sooner]);
    }
  }
  Direction from(const RouterQueue& queue, unsigned place) const {
    const std::byte* flags = reinterpret_cast<const std::byte*>(&queue) + sizeof(RouterQueue) + std::size_t{4} * (wrap_ + 1);
    return static_cast<Direction>(static_cast<unsigned>(flags[(queue.head + place) & wrap_]) >> flag_bits);
  }
  [[gnu::noinline, gnu::cold]] int count_from(const RouterQueue& queue, Direction d) const {
    int words = 0;
    for (unsigned k = 0; k < queue.count; ++k) words += from(queue, k) == d ? 1 : 0;
    return words;
  }
  void pop(RouterQueue& queue) {
    queue.head = static_cast<std::uint8_t>((queue.head + 1u) & wrap_);
    --queue.count;
    --queue.arrived;
  }
  void flip_front(RouterQueue& queue, std::uint32_t bits) {
    std::byte* payload = reinterpret_cast<std::byte*>(&queue) + sizeof(RouterQueue) + 4u * queue.head;
    std::uint32_t word;
    __builtin_memcpy(&word, payload, 4);
    word ^= bits;
    __builtin_memcpy(payload, &word, 4);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(bytes_);
  }

 private:
  static constexpr int flag_bits = 2;  // below the direction
  unsigned wrap_;
  int stride_log2_;  // bytes of a record
  sim::AlignedVector<std::byte> bytes_;
};

}  // namespace wafersim::fabric
