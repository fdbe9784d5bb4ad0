#include "workloads/kernels/streams.h"

#include <algorithm>

#include "fabric/wavelet.h"
#include "workloads/kernels/colors.h"
#include "workloads/kernels/wafer_routes.h"

namespace wafersim::workloads {

using memoryx::GradientWord;
using memoryx::Port;
using memoryx::StreamValue;
using memoryx::StreamWord;

namespace {

std::uint32_t token_id(const Layout& layout, int lane, int row, int slot) {
  const Layout::Token token = layout.token(lane, row, slot);
  return token.sample < 0 ? StreamValue::no_token : static_cast<std::uint32_t>(token.sample * layout.sequence + token.position);
}

}  // namespace

void StreamBuilder::values(Port port, std::uint8_t color, const std::vector<StreamValue>& values) {
  const bool packed = sim::is_half(type_);
  for (std::size_t k = 0; k < values.size(); k += packed ? 2 : 1) {
    StreamWord w;
    w.port = port;
    w.color = color;
    w.type = type_;
    w.low = values[k];
    if (packed && k + 1 < values.size()) w.high = values[k + 1];
    stream_.in.push_back(w);
  }
}

void StreamBuilder::word(Port port, std::uint8_t color, const StreamValue& value, sim::Dtype type) {
  StreamWord w;
  w.port = port;
  w.color = color;
  w.type = type;
  w.low = value;
  stream_.in.push_back(w);
}

void StreamBuilder::start(int task, const std::vector<std::int32_t>& arguments) {
  const auto add = [&](StreamValue::Kind kind, std::uint32_t bits) {
    word({Port::Side::west, 0}, color_f3, {kind, 0, bits, 0}, sim::Dtype::u32);
  };
  add(StreamValue::Kind::word, static_cast<std::uint32_t>(arguments.size()));
  add(StreamValue::Kind::start, fabric::control_payload(fabric::SwitchCommand::nop, false, task));
  for (const std::int32_t argument : arguments) add(StreamValue::Kind::word, static_cast<std::uint32_t>(argument));
}

void StreamBuilder::linear_weights(const FeatureMap& inputs, const FeatureMap& outputs, const WeightIndex& weight) {
  std::vector<StreamValue> column_values(static_cast<std::size_t>(inputs.per_column));
  for (int owner = 0; owner < outputs.columns; ++owner)
    for (int place = 0; place < outputs.per_column; ++place) {
      const int j = outputs.at(owner, place);
      for (int c = 0; c < inputs.columns; ++c) {
        for (int k = 0; k < inputs.per_column; ++k) {
          const int i = inputs.at(c, k);
          column_values[static_cast<std::size_t>(k)] = i < 0 || j < 0 ? StreamValue{} : parameter(weight(i, j));
        }
        values(weight_port(layout_, c), weight_color(c), column_values);
      }
    }
}

void StreamBuilder::biases(const FeatureMap& outputs, const BiasIndex& bias) {
  for (int c = 0; c < outputs.columns; ++c) {
    std::vector<StreamValue> column_values;
    for (int k = 0; k < outputs.per_column; ++k) {
      const int j = outputs.at(c, k);
      column_values.push_back(j < 0 ? StreamValue{} : parameter(bias(j)));
    }
    values(weight_port(layout_, c), weight_color(c), column_values);
  }
}

void StreamBuilder::norm(const FeatureMap& features, std::uint32_t gains, std::uint32_t biases) {
  for (int k = 0; k < features.per_column; ++k)
    for (int c = 0; c < features.columns; ++c) {
      const int i = features.at(c, k);
      if (i < 0) continue;
      word(weight_port(layout_, c), weight_color(c), parameter(gains + static_cast<std::uint32_t>(i)), type_);
      if (biases != no_biases) word(weight_port(layout_, c), weight_color(c), parameter(biases + static_cast<std::uint32_t>(i)), type_);
    }
}

template <class ValueOf>
void StreamBuilder::rows(const FeatureMap& features, ValueOf&& value_of) {
  for (int slot = 0; slot < layout_.tokens_per_pe; ++slot)
    for (int row = 0; row < layout_.rows; ++row)
      for (int lane = 0; lane < layout_.lanes; ++lane) {
        const std::uint32_t token = token_id(layout_, lane, row, slot);
        const int position = layout_.token(lane, row, slot).position;
        for (int c = 0; c < features.columns; ++c) {
          std::vector<StreamValue> column_values;
          for (int k = 0; k < features.per_column; ++k) {
            const int i = features.at(c, k);
            column_values.push_back(token == StreamValue::no_token || i < 0 ? StreamValue{}
                                                                            : value_of(token, position, static_cast<std::uint32_t>(i)));
          }
          values({Port::Side::west, static_cast<std::uint16_t>(row)}, color_e0, column_values);
        }
      }
}

void StreamBuilder::token_rows(const FeatureMap& features, std::uint32_t offset, int width) {
  rows(features, [&](std::uint32_t token, int, std::uint32_t i) {
    return StreamValue{StreamValue::Kind::token_row, static_cast<std::uint16_t>(width), offset + i, token};
  });
}

void StreamBuilder::position_rows(const FeatureMap& features, std::uint32_t offset, int width) {
  rows(features, [&](std::uint32_t, int position, std::uint32_t i) {
    return parameter(offset + static_cast<std::uint32_t>(position) * static_cast<std::uint32_t>(width) + i);
  });
}

void StreamBuilder::common_row(const FeatureMap& features, std::uint32_t offset) {
  rows(features, [&](std::uint32_t, int, std::uint32_t i) { return parameter(offset + i); });
}

void StreamBuilder::targets() {
  for (int row = 0; row < layout_.rows; ++row)
    for (int lane = 0; lane < layout_.lanes; ++lane)
      for (int slot = 0; slot < layout_.tokens_per_pe; ++slot)
        word({Port::Side::west, static_cast<std::uint16_t>(row)}, color_e1,
             {StreamValue::Kind::target, 0, 0, token_id(layout_, lane, row, slot)}, sim::Dtype::u32);
}

void StreamBuilder::gradient_scale() {
  for (int c = 0; c < layout_.columns; ++c)
    word(weight_port(layout_, c), weight_color(c), {StreamValue::Kind::gradient_scale, 0, 0, 0}, sim::Dtype::u32);
}

std::vector<GradientWord>& StreamBuilder::out(Port port, std::uint8_t color) {
  for (auto& words : stream_.out)
    if (words.port == port && words.color == color) return words.words;
  stream_.out.push_back({port, color, {}});
  return stream_.out.back().words;
}

void StreamBuilder::linear_gradients(const FeatureMap& held, const FeatureMap& sent, const WeightIndex& weight, const BiasIndex& held_bias,
                                     const BiasIndex& sent_bias) {
  const auto bias_word = [](const BiasIndex& bias, int j) {
    return j < 0 ? GradientWord{} : GradientWord{GradientWord::Kind::parameter, bias(j), 0};
  };
  for (int c = 0; c < held.columns; ++c) {
    std::vector<GradientWord>& words = out(gradient_port(layout_, c), gradient_color(c));
    for (int k = 0; held_bias && k < held.per_column; ++k) words.push_back(bias_word(held_bias, held.at(c, k)));
    for (int owner = 0; owner < sent.columns; ++owner)
      for (int place = 0; place < sent.per_column; ++place) {
        const int j = sent.at(owner, place);
        for (int k = 0; k < held.per_column; ++k) {
          const int i = held.at(c, k);
          words.push_back(i < 0 || j < 0 ? GradientWord{} : GradientWord{GradientWord::Kind::parameter, weight(i, j), 0});
        }
        if (sent_bias && owner == c) words.push_back(bias_word(sent_bias, j));
      }
  }
}

void StreamBuilder::norm_gradients(const FeatureMap& features, std::uint32_t gains, std::uint32_t biases) {
  for (int c = 0; c < features.columns; ++c) {
    std::vector<GradientWord>& words = out(gradient_port(layout_, c), gradient_color(c));
    for (int k = 0; k < features.per_column; ++k) {
      const int i = features.at(c, k);
      if (i < 0) continue;
      words.push_back({GradientWord::Kind::parameter, gains + static_cast<std::uint32_t>(i), 0});
      if (biases != no_biases) words.push_back({GradientWord::Kind::parameter, biases + static_cast<std::uint32_t>(i), 0});
    }
  }
}

void StreamBuilder::token_gradients(const FeatureMap& features) {
  for (int row = 0; row < layout_.rows; ++row) {
    std::vector<GradientWord>& words = out({Port::Side::west, static_cast<std::uint16_t>(row)}, color_g);
    for (int lane = 0; lane < layout_.lanes; ++lane)
      for (int c = 0; c < features.columns; ++c)
        for (int k = 0; k < features.per_column; ++k)
          for (int slot = 0; slot < layout_.tokens_per_pe; ++slot) {
            const std::uint32_t token = token_id(layout_, lane, row, slot);
            const int i = features.at(c, k);
            words.push_back(token == StreamValue::no_token || i < 0
                                ? GradientWord{}
                                : GradientWord{GradientWord::Kind::token_row, static_cast<std::uint32_t>(i), token});
          }
  }
}

void StreamBuilder::loss() {
  for (int c = 0; c < layout_.columns; ++c)
    out(gradient_port(layout_, c), gradient_color(c)).push_back({c == 0 ? GradientWord::Kind::loss : GradientWord::Kind::discard, 0, 0});
}

}  // namespace wafersim::workloads
