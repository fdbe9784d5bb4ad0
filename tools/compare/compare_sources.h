#pragma once
// Two sides compared: run with run, sweep with sweep point by point, and a golden with a run (made a golden first) or a golden.

#include "tools/compare/difference.h"
#include "tools/compare/source.h"

namespace wafersim::compare {

// Error(config) when the sides are not of kinds that can be compared, or a tolerance of `tolerances` names no figure of either.
// They come after standard_tolerances().
Comparison compare_sources(const Source& a, const Source& b, const std::vector<Tolerance>& tolerances);

// What the configurations of two runs say differently: not a difference of results, but why there may be some.
Comparison compare_configs(const Source& a, const Source& b);

}  // namespace wafersim::compare
