#pragma once
// Coefficients of a function that is linear in a few numbers, from as many points.

#include <vector>

namespace wafersim::workloads {

// Solves sum_k points[i][k] * x[k] = values[i] by elimination with row exchanges. points: square. Throws Error(invariant) when the points
// do not determine x.
std::vector<double> solve(std::vector<std::vector<double>> points, std::vector<double> values);

}  // namespace wafersim::workloads
