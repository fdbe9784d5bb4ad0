#pragma once
// What distinguishes the families of models: the form of a block and Hugging Face's names of its tensors, an entry of family.cpp each.
// Names of linears and norms are without ".weight" and ".bias".

#include <cstddef>
#include <string>
#include <vector>

#include "workloads/model_shape.h"

namespace wafersim::workloads {

enum class NormKind { layer, rms };

// How the matrix of a linear layer is stored. Token rows and unembedding are [vocabulary][width] in every family.
enum class MatrixOrder { in_out, out_in };

struct FamilyForm {
  NormKind norm = NormKind::layer;
  MatrixOrder order = MatrixOrder::out_in;
  std::string token_rows;
  std::string position_rows;   // empty: none, queries and keys are rotated
  int first_position = 0;      // the row of position 0
  std::string type_rows;       // of token types; empty: none
  std::string embedding_norm;  // empty: none
  bool causal = true;      // a token sees those before it and itself; else all of its sequence, and learns hidden tokens (masked_tokens.h)
  bool post_norm = false;  // a norm takes the stream when a result has been added to it, not what is read from it
  std::string layer;       // what stands before a layer's names, {} for its number
  std::string attention_norm;
  std::vector<std::string> qkv;  // one matrix, or queries, keys and values apart
  bool qkv_by_head = false;      // one matrix: a head's queries, keys and values are neighbours
  bool attention_bias = true;
  std::string attention_out;
  std::string mlp_norm;             // empty: the MLP reads what attention reads
  std::vector<std::string> mlp_in;  // one matrix, or gate and up
  bool mlp_bias = true;
  std::string mlp_out;
  std::string final_norm;             // empty: none
  std::string head_dense, head_norm;  // with an activation between them, before the unembedding; empty: none
  std::string unembedding;            // the tensor; token_rows when tied
  std::string unembedding_bias;       // the tensor; empty: none

  // Whose sum is a token's embedding: its own, its position's, its type's.
  int row_kinds() const { return 1 + (position_rows.empty() ? 0 : 1) + (type_rows.empty() ? 0 : 1); }
};

FamilyForm family_form(const ModelShape& shape);
const char* name(Family family);  // model_type

// Parameters that a token is multiplied with: all matrices but those of positions and types and, beside an unembedding of its own, the
// tokens'.
std::size_t matrix_parameters(const ModelShape& shape);
// Floating-point operations of a trained token by the usual count: 6 for each of its matrix parameters and, for each layer and token of the
// sequence, 12 for each feature of the queries. What causal attention leaves out and what is computed again is not told apart.
double model_flops(const ModelShape& shape, int sequence);

}  // namespace wafersim::workloads
