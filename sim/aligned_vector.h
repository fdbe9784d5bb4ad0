#pragma once
// A vector whose first element starts a cache line, so that records of a line's size do not straddle two. A large one starts a huge page
// and asks for such pages: what is read all over in every cycle needs few of the processor's page entries.

#include <cstddef>
#include <new>
#include <vector>

namespace wafersim::sim {

// Of n bytes; what the host cannot do for large ones costs time and nothing else. Throws std::bad_alloc.
void* allocate_lines(std::size_t bytes);
void free_lines(void* memory, std::size_t bytes);

template <class T>
struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <class U>
  explicit CacheLineAllocator(const CacheLineAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(allocate_lines(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) { free_lines(p, n * sizeof(T)); }
  template <class U>
  bool operator==(const CacheLineAllocator<U>&) const {
    return true;
  }
};

template <class T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace wafersim::sim
