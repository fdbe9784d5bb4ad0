#pragma once
// How the program ends: what went wrong on stderr, and the exit code that says so (sim/error.h).

#include <functional>

namespace wafersim::tools {

// Returns body's exit code, or that of the exception it threw, after printing "wafersim: CATEGORY error: MESSAGE" on stderr.
int guarded(const std::function<int()>& body);

}  // namespace wafersim::tools
