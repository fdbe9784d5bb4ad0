#include "workloads/sampling/sampled_op.h"

#include <algorithm>
#include <cmath>

#include "workloads/sampling/linear_fit.h"

namespace wafersim::workloads {
namespace {

// Hops of a PE do not grow with the rows; words that cross the wafer along one row are spread over all of them.
double hop_value(Regressor regressor, const SampleMesh& mesh) {
  if (regressor != Regressor::rows) return value(regressor, mesh);
  return static_cast<double>(mesh.columns) * mesh.columns / mesh.rows;
}

// `read` of the call, at `mesh`.
template <class ValueOf, class Read>
double extend_one(const SampledOp& op, std::size_t call, const SampleMesh& mesh, ValueOf&& value_of, Read&& read) {
  const std::vector<Regressor>& regressors = op.set.regressors;
  std::vector<std::vector<double>> points;
  std::vector<double> values;
  for (std::size_t i = 0; i < regressors.size(); ++i) {
    points.emplace_back();
    for (const Regressor r : regressors) points.back().push_back(value_of(r, op.set.meshes[i]));
    values.push_back(read(op.samples[i][call]));
  }
  const std::vector<double> coefficients = solve(std::move(points), std::move(values));
  double sum = 0;
  for (std::size_t k = 0; k < regressors.size(); ++k) sum += coefficients[k] * value_of(regressors[k], mesh);
  return sum;
}

}  // namespace

CallMeasurement extend(const SampledOp& op, std::size_t call, const SampleMesh& mesh) {
  const auto at = [&](auto&& read) { return extend_one(op, call, mesh, value, read); };
  CallMeasurement m;
  m.period = at([](const CallMeasurement& s) { return s.period; });
  m.active = at([](const CallMeasurement& s) { return s.active; });
  for (std::size_t a = 0; a < m.cycles.size(); ++a) m.cycles[a] = std::max(0.0, at([a](const CallMeasurement& s) { return s.cycles[a]; }));
  m.macs = at([](const CallMeasurement& s) { return s.macs; });
  m.hops = std::max(0.0, extend_one(op, call, mesh, hop_value, [](const CallMeasurement& s) { return s.hops; }));
  return m;
}

double residual(const SampledOp& op) {
  double worst = 0;
  if (!op.set.has_held_out()) return worst;
  for (std::size_t call = 0; call < op.calls(); ++call) {
    const double measured = op.samples.back()[call].period, predicted = extend(op, call, op.set.meshes.back()).period;
    worst = std::max(worst, std::abs(predicted - measured) / measured);
  }
  return worst;
}

}  // namespace wafersim::workloads
