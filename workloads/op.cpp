#include "workloads/op.h"

#include <utility>

#include "workloads/family.h"
#include "workloads/head_map.h"

namespace wafersim::workloads {

namespace {

// Number of feature f of a head among the outputs that make queries (part 0), keys or values.
int qkv_number(const ModelShape& shape, int part, int head, int f) {
  if (family_form(shape).qkv_by_head) return (head * 3 + part) * shape.head() + f;
  if (part == 0) return head * shape.head() + f;
  return shape.attention_width() + (part - 1) * shape.key_width() + head / shape.group() * shape.head() + f;
}

// Completes a map of the heads' columns: those behind them hold nothing.
FeatureMap without_heads(FeatureMap map) {
  map.feature.resize(static_cast<std::size_t>(map.columns) * static_cast<std::size_t>(map.per_column), -1);
  return map;
}

FeatureMap head_features(const ModelShape& shape, const Layout& layout) {
  const HeadMap head = head_map(shape, layout.columns_per_head);
  FeatureMap map{layout.columns, head.rows, {}};
  for (int h = 0; h < shape.heads; ++h)
    for (const int f : head.feature) map.feature.push_back(f < 0 ? -1 : h * shape.head() + f);
  return without_heads(std::move(map));
}

FeatureMap qkv_features(const ModelShape& shape, const Layout& layout) {
  const HeadMap head = head_map(shape, layout.columns_per_head);
  FeatureMap map{layout.columns, 3 * head.rows, {}};
  for (int column = 0; column < layout.head_columns(); ++column)
    for (int part = 0; part < 3; ++part)
      for (int i = 0; i < head.rows; ++i) {
        const int f = head.at(column % head.columns, i);
        map.feature.push_back(f < 0 ? -1 : qkv_number(shape, part, column / head.columns, f));
      }
  return without_heads(std::move(map));
}

FeatureMap grouped_qkv_features(const ModelShape& shape, const Layout& layout) {
  const HeadMap head = head_map(shape, layout.columns_per_head);
  const KeySlices slices = key_slices(shape, layout);
  FeatureMap map{layout.columns, head.rows + 2 * slices.rows, {}};
  for (int column = 0; column < layout.columns; ++column) {
    const int h = column / head.columns;
    for (int i = 0; i < head.rows; ++i) {
      const int f = head.at(column % head.columns, i);
      map.feature.push_back(f < 0 ? -1 : qkv_number(shape, 0, h, f));
    }
    for (int part = 1; part < 3; ++part)
      for (int i = 0; i < slices.rows; ++i) {
        const int row = slices.first_row(column) + i;
        const int f = row < head.rows ? head.at(slices.head_column(column), row) : -1;
        map.feature.push_back(f < 0 ? -1 : qkv_number(shape, part, h, f));
      }
  }
  return map;
}

}  // namespace

KeySlices key_slices(const ModelShape& shape, const Layout& layout) {
  const int group = shape.group();
  return {group, group * layout.columns_per_head, (head_rows(shape, layout.columns_per_head) + group - 1) / group};
}

FeatureMap feature_map(Features features, const ModelShape& shape, const Layout& layout) {
  switch (features) {
    case Features::residual: return contiguous_features(shape.width, layout.columns);
    case Features::qkv: return qkv_features(shape, layout);
    case Features::grouped_qkv: return grouped_qkv_features(shape, layout);
    case Features::heads: return head_features(shape, layout);
    case Features::inner: return contiguous_features(shape.inner, layout.columns);
    case Features::gate_up: return stack_features(contiguous_features(shape.inner, layout.columns), 2, shape.inner);
    case Features::statistic: break;
  }
  return {layout.columns, 1, std::vector<int>(static_cast<std::size_t>(layout.columns), -1)};
}

int feature_count(Features features, const ModelShape& shape) {
  switch (features) {
    case Features::residual: return shape.width;
    case Features::qkv: return 3 * shape.attention_width();
    case Features::grouped_qkv: return shape.attention_width() + 2 * shape.key_width();
    case Features::heads: return shape.attention_width();
    case Features::inner: return shape.inner;
    case Features::gate_up: return 2 * shape.inner;
    case Features::statistic: break;
  }
  return 1;
}

int tile_rows(Features features, const ModelShape& shape, const Layout& layout) {
  const auto head = [&] { return head_rows(shape, layout.columns_per_head); };
  switch (features) {
    case Features::residual: return ceil_divide(shape.width, layout.columns);
    case Features::heads: return head();
    case Features::qkv: return 3 * head();
    case Features::grouped_qkv: return head() + 2 * key_slices(shape, layout).rows;
    case Features::inner: return ceil_divide(shape.inner, layout.columns);
    case Features::gate_up: return 2 * ceil_divide(shape.inner, layout.columns);
    case Features::statistic: break;
  }
  return 1;
}

const char* name(OpKind kind) {
  switch (kind) {
    case OpKind::embedding: return "embedding";
    case OpKind::layer_norm: return "layer_norm";
    case OpKind::rms_norm: return "rms_norm";
    case OpKind::linear: return "linear";
    case OpKind::share_keys: return "share_keys";
    case OpKind::rotary: return "rotary";
    case OpKind::attention: return "attention";
    case OpKind::gelu: return "gelu";
    case OpKind::gelu_erf: return "gelu_erf";
    case OpKind::relu: return "relu";
    case OpKind::swiglu: return "swiglu";
    case OpKind::residual: return "residual";
    case OpKind::loss: break;
  }
  return "loss";
}

const char* name(Features features) {
  switch (features) {
    case Features::residual: return "residual";
    case Features::qkv: return "qkv";
    case Features::grouped_qkv: return "grouped_qkv";
    case Features::heads: return "heads";
    case Features::inner: return "inner";
    case Features::gate_up: return "gate_up";
    case Features::statistic: break;
  }
  return "statistic";
}

}  // namespace wafersim::workloads
