#pragma once
// Places named arrays in the SRAM of a PE class, with lifetimes; remembers the high-water mark.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/plan.h"
#include "models/sram_lifetimes.h"

namespace wafersim::models {

class SramAllocator {
 public:
  // First fit.
  explicit SramAllocator(int capacity_bytes) : capacity_(capacity_bytes) {}
  // The arrays of an allocator that has seen the same calls before, at these addresses.
  SramAllocator(int capacity_bytes, std::vector<int> addresses) : capacity_(capacity_bytes), addresses_(std::move(addresses)) {}

  // Address of `bytes` > 0 bytes whose address is `phase` (0 or 4) modulo 8: arrays of different phase are read in the same cycle without a
  // bank conflict. Throws Error(plan) that names the array, its bytes and what is left when it does not fit.
  int allocate(const std::string& name, std::int64_t bytes, int phase = 0);
  void free(int address);
  // Gives back all but the first `bytes` bytes of an array.
  void shrink(int address, std::int64_t bytes);

  int peak_bytes() const { return peak_; }
  // Whether an array did not fit only because what was free lay in pieces.
  bool refused_for_gaps() const { return refused_for_gaps_; }
  // Of all arrays in the order of their allocation.
  const std::vector<ArrayLifetime>& lifetimes() const { return lifetimes_; }
  // Every array that was ever placed, by address.
  SramMap map() const;

 private:
  struct Region {
    std::string name;
    int begin;
    int end;
    std::size_t number;  // of all_
  };
  std::vector<Region>::iterator find(int address);

  int capacity_;
  std::vector<int> addresses_;  // empty: first fit
  int peak_ = 0;
  int time_ = 0;
  bool refused_for_gaps_ = false;
  std::vector<Region> live_;  // by address
  std::vector<SramMap::Region> all_;
  std::vector<ArrayLifetime> lifetimes_;
  std::vector<std::size_t> at_peak_;  // numbers
};

}  // namespace wafersim::models
