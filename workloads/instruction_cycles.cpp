#include "workloads/instruction_cycles.h"

#include <cmath>

namespace wafersim::workloads {

double InstructionCycles::whole_rate(double rate) { return rate >= 1 ? std::floor(rate) : 1.0 / std::round(1.0 / rate); }

double InstructionCycles::spread(int n, double rate) { return rate >= 1 ? std::ceil(n / std::floor(rate)) : n * std::round(1.0 / rate); }

double InstructionCycles::accumulate(int n, double rate, bool cached) const {
  const bool beyond = cached && n > core_.accumulator_cache_bytes / 4;
  return beyond ? (rate >= 1 ? std::ceil(2.0 * n / std::floor(rate)) : 2.0 * spread(n, rate)) : spread(n, rate);
}

double InstructionCycles::all_reduce(int n, int pes) const {
  if (pes == 1) return 0;
  const double chain = stream(n) + chain_hop() * (pes - 1), broadcast = stream(n) + hops(pes - 1) + ramps(2);
  return chain + broadcast;
}

}  // namespace wafersim::workloads
