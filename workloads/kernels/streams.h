#pragma once
// The words that MemoryX sends for a kernel and the meaning of those that the wafer sends back, from feature maps.

#include <cstdint>
#include <functional>
#include <vector>

#include "memoryx/stream.h"
#include "sim/dtype.h"
#include "workloads/layout.h"

namespace wafersim::workloads {

// Store element of the weight between input i and output j (global features).
using WeightIndex = std::function<std::uint32_t(int input, int output)>;
// Store element of the bias of an output; empty: there are none.
using BiasIndex = std::function<std::uint32_t(int output)>;

// Words that the weights of tiles of `inputs` and `outputs` rows send to a column: what its feeder relays.
constexpr std::int64_t weight_words(const Layout& layout, sim::Dtype type, int inputs, int outputs) {
  return std::int64_t{layout.columns} * outputs * words_of(inputs, type);
}

class StreamBuilder {
 public:
  StreamBuilder(const Layout& layout, sim::Dtype type) : layout_(layout), type_(type) {}

  // Values on one color and port, fp16 and bf16 two a word; the last word is padded.
  void values(memoryx::Port port, std::uint8_t color, const std::vector<memoryx::StreamValue>& values);
  // One value in a word of its own.
  void word(memoryx::Port port, std::uint8_t color, const memoryx::StreamValue& value, sim::Dtype type);

  // What the host sends ahead of a call's stream, into the north-west corner: the number of arguments, the start of kernel `task`, the
  // arguments.
  void start(int task, const std::vector<std::int32_t>& arguments);
  // Weights of a linear layer: for every output, in the order of owners, the weights of each column's inputs.
  void linear_weights(const FeatureMap& inputs, const FeatureMap& outputs, const WeightIndex& weight);
  // One value for each output of a column, packed.
  void biases(const FeatureMap& outputs, const BiasIndex& bias);
  // Gains and, unless biases is no_biases, biases of each true feature of a column, a word each.
  static constexpr std::uint32_t no_biases = 0xffffffffu;
  void norm(const FeatureMap& features, std::uint32_t gains, std::uint32_t biases);
  // Rows of tokens: for every slot the features of each lane's token, column by column; `index` and `width` as in StreamValue::token_row.
  void token_rows(const FeatureMap& features, std::uint32_t offset, int width);
  // Row `position` of a matrix instead of the token's.
  void position_rows(const FeatureMap& features, std::uint32_t offset, int width);
  // The same row for every token.
  void common_row(const FeatureMap& features, std::uint32_t offset);
  void targets();
  void gradient_scale();

  // What leaves of a linear layer: a bias of the places that a column holds, then what is sent, place by place: gradients of weight(held,
  // sent), and its bias from the column that sends it. At most one of the biases is there.
  void linear_gradients(const FeatureMap& held, const FeatureMap& sent, const WeightIndex& weight, const BiasIndex& held_bias,
                        const BiasIndex& sent_bias);
  // Of gains and, unless biases is no_biases, biases.
  void norm_gradients(const FeatureMap& features, std::uint32_t gains, std::uint32_t biases);
  void token_gradients(const FeatureMap& features);
  void loss();

  memoryx::CallStream take() { return std::move(stream_); }

 private:
  std::vector<memoryx::GradientWord>& out(memoryx::Port port, std::uint8_t color);
  memoryx::StreamValue parameter(std::uint32_t index) const { return {memoryx::StreamValue::Kind::parameter, 0, index, 0}; }
  template <class ValueOf>
  void rows(const FeatureMap& features, ValueOf&& value_of);

  Layout layout_;
  sim::Dtype type_;
  memoryx::CallStream stream_;
};

}  // namespace wafersim::workloads
