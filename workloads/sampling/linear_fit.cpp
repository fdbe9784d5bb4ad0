#include "workloads/sampling/linear_fit.h"

#include <cmath>
#include <cstddef>
#include <utility>

#include "sim/error.h"

namespace wafersim::workloads {

std::vector<double> solve(std::vector<std::vector<double>> points, std::vector<double> values) {
  constexpr double smallest_pivot = 1e-9;
  const std::size_t n = values.size();
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < n; ++row)
      if (std::abs(points[row][column]) > std::abs(points[pivot][column])) pivot = row;
    std::swap(points[pivot], points[column]);
    std::swap(values[pivot], values[column]);
    sim::require_invariant(std::abs(points[column][column]) > smallest_pivot, "samples determine what is fitted to them");
    for (std::size_t row = column + 1; row < n; ++row) {
      const double factor = points[row][column] / points[column][column];
      for (std::size_t k = column; k < n; ++k) points[row][k] -= factor * points[column][k];
      values[row] -= factor * values[column];
    }
  }
  for (std::size_t row = n; row-- > 0;) {
    for (std::size_t k = row + 1; k < n; ++k) values[row] -= points[row][k] * values[k];
    values[row] /= points[row][row];
  }
  return values;
}

}  // namespace wafersim::workloads
