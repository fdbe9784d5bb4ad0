#pragma once
// A kernel call of a run's plan as reports name it.

#include <string>
#include <vector>

#include "workloads/roofline.h"

namespace wafersim::tools {

struct PlannedCall {
  std::string kernel, phase;  // as models::KernelCall has them
  int layer = -1;             // -1: not of a layer
  workloads::CallBound bound;
  double closed_form_cycles = 0;
  std::vector<int> reads, gradients;  // tensors of the parameter store that it reads; whose gradients it makes
};

}  // namespace wafersim::tools
