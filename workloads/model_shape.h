#pragma once
// The few numbers that make a GPT-2, and the tensors that follow from them.

#include <string>

#include "memoryx/parameter_table.h"

namespace wafersim::workloads {

struct ModelShape {
  int vocabulary = 0;
  int positions = 0;
  int width = 0;  // H, features of the residual stream
  int layers = 0;
  int heads = 0;
  int inner = 0;  // features between the two linears of the MLP
  double layer_norm_epsilon = 1e-5;
  bool tied = true;  // the unembedding is wte.weight; else lm_head.weight

  int head() const { return width / heads; }  // features of a head
};

// Throws Error(config) naming the number that is not positive or does not divide; `source` is the file it came from.
void check_shape(const ModelShape& shape, const std::string& source);

// Tensors in stream order, with Hugging Face's gpt2 names without "transformer.": wte.weight [vocabulary][width], wpe.weight
// [positions][width], then per layer h.N.: ln_1.{weight, bias}, attn.c_attn.{weight [width][3 width], bias}, attn.c_proj, ln_2,
// mlp.c_fc [width][inner], mlp.c_proj [inner][width], then ln_f, then lm_head.weight [vocabulary][width] when not tied.
memoryx::ParameterTable parameter_table(const ModelShape& shape);

}  // namespace wafersim::workloads
