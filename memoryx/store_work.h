#pragma once
// What the kernel calls of a step ask of the parameter store.

#include <vector>

namespace wafersim::memoryx {

// Elements of a tensor of the parameter store that a call reads or whose gradient it makes.
struct TensorUse {
  int tensor = 0;
  double elements = 0;
  double run = 0;    // consecutive elements that one sixteenth of the call reads; 0: all of it lie together
  bool own = false;  // rows of the system's own tokens: every system has its own
  // Which part of the call's words comes from it.
  double from = 0, to = 1;
};

struct CallWork {
  int parts = 1;  // in so many blocks its words come
  std::vector<TensorUse> reads, gradients;
};

struct StepWork {
  std::vector<CallWork> calls;  // of a micro-batch, in the order in which they run
  int micro_batches = 1;
  int systems = 1;                      // whose tokens are served
  std::vector<double> tensor_elements;  // of the whole store, by tensor
};

}  // namespace wafersim::memoryx
