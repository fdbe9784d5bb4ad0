#pragma once
// Counter-based random numbers: every number is a pure function of (seed, stream, counter), so order, threads and host do not matter.
// Source: Philox 4x32-10, Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

#include <array>
#include <cstdint>

namespace wafersim::sim {

// The bijection itself: ten rounds.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

// key = seed, counter words = (counter, stream), each low word first.
std::array<std::uint32_t, 4> random_words(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter);
// The first two words, low word first.
std::uint64_t random_bits(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter);

// In [0, 1), a multiple of 2^-53.
double uniform(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter);
// 0 .. bound-1, bound >= 1; bias below bound / 2^64.
std::uint64_t uniform_below(std::uint64_t bound, std::uint64_t seed, std::uint64_t stream, std::uint64_t counter);
// Mean 0, standard deviation 1, |x| < 6.4: the inverse distribution function of one 32-bit uniform, so one counter gives one number.
float normal(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter);

// The p-quantile of the standard normal distribution, 0 < p < 1, relative error about 1e-6 for 1e-10 < p < 1 - 1e-10; fp64 +, -, *, /, sqrt
// and numerics::log only. Source: PPND7, Wichura, algorithm AS 241, Applied Statistics 37 (1988).
double normal_quantile(double p);

}  // namespace wafersim::sim
