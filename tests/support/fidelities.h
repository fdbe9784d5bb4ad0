#pragma once
// The two fidelities side by side: kernel calls and whole steps, wavelet by wavelet and sampled.

#include <cstdint>
#include <string>
#include <vector>

#include "models/sampled_system.h"
#include "tests/support/small_model.h"
#include "workloads/sampling/kernel_sampler.h"

namespace wafersim::tests {

// Active cycles are from a call's first PE's start to its last PE's completion, its period to the first PE's start of the next call.
struct ComparedCall {
  std::string name;  // kernel and phase
  double active = 0;
  double period = 0;  // 0: none follows
  double macs = 0;
  workloads::KernelTime sampled;
};

// The calls of a micro-batch whose weights are always there.
std::vector<ComparedCall> compare_calls(Experiment experiment);

// The calls of one op of each kind of the experiment's, run alone: of meshes on which a step takes too long. Sampled as by the program.
std::vector<ComparedCall> compare_ops(const Experiment& experiment);

// What a sampled time may differ from the wavelets': 2 %, or 40 cycles of what takes less than 2,000 (design, section 8).
double fidelity_limit(double simulated);

// Prints a row for each kernel and phase: calls, their cycles by wavelets and by samples, the error of the sum, and of the worst call
// relative to fidelity_limit. Returns a line for each call that is beyond the limit or whose multiply-adds differ.
std::vector<std::string> print_calls(const std::vector<ComparedCall>& calls);

// The first two steps on the machine's own link.
struct ComparedSteps {
  double simulated[2], sampled[2];       // cycles from the step before to the last gradient
  double waits[2][models::wait_causes];  // sampled, of all calls; for updates also before the first
  std::string difference;                // of bits from the reference after both steps; empty: none
};

// calls: those of compare_calls.
ComparedSteps compare_steps(const Experiment& experiment, const std::vector<ComparedCall>& calls, models::SampledSystem& system);

}  // namespace wafersim::tests
