#pragma once
// SystemC's kernel in this process.

namespace wafersim::models {

// Before any module: the settings of the one simulation that a process may hold. Throws Error(invariant) for a second one.
void prepare_kernel();

}  // namespace wafersim::models
