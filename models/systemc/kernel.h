#pragma once
// SystemC's kernel in this process.

namespace wafersim::models {

// Times of SystemC's 64 bits: of every cycle to the femtosecond, five hours; or to the picosecond, months, for steps in blocks.
enum class TimeResolution { femtosecond, picosecond };

// Before any module: the settings of the one simulation that a process may hold. Throws Error(invariant) for a second one.
void prepare_kernel(TimeResolution resolution);

}  // namespace wafersim::models
