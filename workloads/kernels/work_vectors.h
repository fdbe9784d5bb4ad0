#pragma once
// A work area of vectors of one fp32 value a slot, of phases 0 and 4 in turn: what kernels that stay on the PE compute in.

#include <vector>

#include "workloads/kernels/kernel_builder.h"
#include "workloads/kernels/work_area.h"

namespace wafersim::workloads {

struct WorkVectors {
  std::vector<int> offsets;  // in the work area
  std::int64_t bytes = 0;
};

inline WorkVectors work_vectors(const KernelBuilder& k, int count) {
  WorkArea area;
  WorkVectors w;
  for (int n = 0; n < count; ++n) w.offsets.push_back(area.part(k.vector_bytes(), n % 2 * 4));
  w.bytes = area.bytes();
  return w;
}

}  // namespace wafersim::workloads
