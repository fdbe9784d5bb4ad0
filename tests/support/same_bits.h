#pragma once
// Equality to the last bit, with the first difference named.

#include <string>

#include "memoryx/parameter_store.h"

namespace wafersim::tests {

// Empty when all gradients, weights and moments of two stores of one table have the same bits; else the first tensor and element that
// differ, with both values and how many elements of the tensor differ.
std::string first_difference(const memoryx::ParameterStore& got, const memoryx::ParameterStore& expected);

}  // namespace wafersim::tests
