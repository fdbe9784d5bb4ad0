#pragma once
// The calls of one op measured on its samples, and their extension to another mesh.

#include <vector>

#include "workloads/sampling/measure_calls.h"
#include "workloads/sampling/sample_set.h"

namespace wafersim::workloads {

struct SampledOp {
  SampleSet set;
  std::vector<std::vector<CallMeasurement>> samples;  // [mesh of the set][call of the op]

  std::size_t calls() const { return samples.front().size(); }
};

// What `call` takes on `mesh`: each number of a measurement is linear in the set's regressors, and the fitted samples determine it.
CallMeasurement extend(const SampledOp& op, std::size_t call, const SampleMesh& mesh);

// Largest distance of a held-out period from its prediction, relative to it; 0 where nothing is held out.
double residual(const SampledOp& op);

}  // namespace wafersim::workloads
