#include "workloads/model_shape.h"

#include <fmt/format.h>

#include "sim/error.h"

namespace wafersim::workloads {

void check_shape(const ModelShape& shape, const std::string& source) {
  const auto positive = [&](const char* key, int value) {
    if (value <= 0) throw sim::Error(sim::ErrorCategory::config, fmt::format("{}: {} is {}; it must be at least 1", source, key, value));
  };
  positive("vocabulary", shape.vocabulary);
  positive("positions", shape.positions);
  positive("width", shape.width);
  positive("layers", shape.layers);
  positive("heads", shape.heads);
  positive("inner", shape.inner);
  if (shape.width % shape.heads != 0)
    throw sim::Error(sim::ErrorCategory::config,
                     fmt::format("{}: heads is {} and does not divide the width {}; choose a divisor", source, shape.heads, shape.width));
  if (!(shape.layer_norm_epsilon > 0.0))
    throw sim::Error(sim::ErrorCategory::config,
                     fmt::format("{}: layer_norm_epsilon is {}; it must be above 0", source, shape.layer_norm_epsilon));
}

memoryx::ParameterTable parameter_table(const ModelShape& shape) {
  using Initial = memoryx::ParameterEntry::Initial;
  memoryx::ParameterTable table;
  const auto norm = [&](const std::string& name) {
    table.add(name + ".weight", {shape.width}, Initial::one);
    table.add(name + ".bias", {shape.width}, Initial::zero);
  };
  const auto linear = [&](const std::string& name, int in, int out) {
    table.add(name + ".weight", {in, out}, Initial::normal);
    table.add(name + ".bias", {out}, Initial::zero);
  };
  table.add("wte.weight", {shape.vocabulary, shape.width}, Initial::normal);
  table.add("wpe.weight", {shape.positions, shape.width}, Initial::normal);
  for (int layer = 0; layer < shape.layers; ++layer) {
    const std::string prefix = fmt::format("h.{}.", layer);
    norm(prefix + "ln_1");
    linear(prefix + "attn.c_attn", shape.width, 3 * shape.width);
    linear(prefix + "attn.c_proj", shape.width, shape.width);
    norm(prefix + "ln_2");
    linear(prefix + "mlp.c_fc", shape.width, shape.inner);
    linear(prefix + "mlp.c_proj", shape.inner, shape.width);
  }
  norm("ln_f");
  if (!shape.tied) table.add("lm_head.weight", {shape.vocabulary, shape.width}, Initial::normal);
  return table;
}

}  // namespace wafersim::workloads
