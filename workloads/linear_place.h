#pragma once
// Where the weights of a linear op lie in the parameter store. Its matrices stand side by side along the outputs (queries, keys, values;
// gate, up), and so do their biases.

#include <cstddef>
#include <vector>

#include "memoryx/parameter_table.h"
#include "workloads/family.h"

namespace wafersim::workloads {

class LinearPlace {
 public:
  // parameters: matrices (two extents), then as many biases (one extent) or none; indices in the table.
  LinearPlace(const memoryx::ParameterTable& table, const std::vector<int>& parameters, MatrixOrder order);

  bool has_bias() const { return has_bias_; }
  // Element of the store.
  std::size_t weight(int input, int output) const {
    const Part& part = part_of(output);
    return part.weights + static_cast<std::size_t>(input) * part.input_stride +
           static_cast<std::size_t>(output - part.first) * part.output_stride;
  }
  // From the weight of an input to that of the next.
  std::size_t input_stride(int output) const { return part_of(output).input_stride; }
  std::size_t bias(int output) const {
    const Part& part = part_of(output);
    return part.biases + static_cast<std::size_t>(output - part.first);
  }

 private:
  struct Part {
    int first, end;  // outputs
    std::size_t weights, biases;
    std::size_t input_stride, output_stride;
  };
  const Part& part_of(int output) const {
    std::size_t part = 0;
    while (output >= parts_[part].end) ++part;
    return parts_[part];
  }

  std::vector<Part> parts_;
  bool has_bias_ = false;
};

}  // namespace wafersim::workloads
