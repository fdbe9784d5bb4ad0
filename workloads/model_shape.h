#pragma once
// The few numbers that make a model, whatever its family calls them, and the tensors that follow from them.

#include <string>

#include "memoryx/parameter_table.h"
#include "memoryx/training.h"

namespace wafersim::workloads {

// The form of a block and the names of its tensors (family.h).
enum class Family { gpt2, gptj, gpt_neox, llama, opt, bert };

// Of the MLP. silu stands for the gated form: silu(gate) * up.
enum class Activation { gelu_tanh, gelu_erf, relu, silu };

struct ModelShape {
  int vocabulary = 0;
  int positions = 0;  // most tokens of a sequence
  int width = 0;      // H, features of the residual stream
  int layers = 0;
  int heads = 0;
  int inner = 0;                     // features between the linears of the MLP
  double layer_norm_epsilon = 1e-5;  // of either kind of norm
  bool tied = true;                  // the unembedding is the matrix of token rows
  Family family = Family::gpt2;
  Activation activation = Activation::gelu_tanh;
  int kv_heads = 0;    // heads of keys and values, each shared by heads / kv_heads query heads; 0: as many as heads
  int head_width = 0;  // features of a head; 0: width / heads
  int rotary = 0;      // features of a head that are rotated by the position
  double rotary_base = 10000.0;
  int token_types = 0;             // rows of token types, of which every token has the first; 0: none
  int mask_token = 0;              // what stands for a token that is hidden from a model that is not causal
  bool parallel_residual = false;  // attention and MLP read the same stream, which takes both results

  int head() const { return head_width > 0 ? head_width : width / heads; }
  int key_heads() const { return kv_heads > 0 ? kv_heads : heads; }
  int group() const { return heads / key_heads(); }       // query heads that share keys and values
  int attention_width() const { return heads * head(); }  // of queries and of attention's output
  int key_width() const { return key_heads() * head(); }  // of keys and of values
};

// Throws Error(config) naming the number that is not positive or does not divide; `source` is the file it came from.
void check_shape(const ModelShape& shape, const std::string& source);

// Tensors in stream order with Hugging Face's names (gpt2: without "transformer."): token rows [vocabulary][width], position rows
// [positions][width] where there are any (opt: two more before them), rows of token types and the norm of the embedding where there are
// any; per layer the norms {weight, bias} and the linears {weight, bias}, [in][out] for gpt2 and [out][in] for the others; the final norm
// or the linear and the norm of the head; the unembedding [vocabulary][width] when not tied and its bias.
memoryx::ParameterTable parameter_table(const ModelShape& shape);

// Where the rows of tokens and positions lie in the store of that table.
memoryx::EmbeddingPlace embedding_place(const ModelShape& shape);

}  // namespace wafersim::workloads
