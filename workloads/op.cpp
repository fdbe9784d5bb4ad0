#include "workloads/op.h"

namespace wafersim::workloads {

FeatureMap feature_map(Features features, const ModelShape& shape, const Layout& layout) {
  const auto heads = [&] { return head_features(shape.heads, shape.head(), layout.columns_per_head); };
  switch (features) {
    case Features::residual: return contiguous_features(shape.width, layout.columns);
    case Features::qkv: return stack_features(heads(), 3, shape.width);
    case Features::heads: return heads();
    case Features::inner: return contiguous_features(shape.inner, layout.columns);
    case Features::statistic: break;
  }
  return {layout.columns, 1, std::vector<int>(static_cast<std::size_t>(layout.columns), -1)};
}

int tile_rows(Features features, const ModelShape& shape, const Layout& layout) {
  switch (features) {
    case Features::residual: return ceil_divide(shape.width, layout.columns);
    case Features::heads: return ceil_divide(shape.head(), layout.columns_per_head);
    case Features::qkv: return 3 * ceil_divide(shape.head(), layout.columns_per_head);
    case Features::inner: return ceil_divide(shape.inner, layout.columns);
    case Features::statistic: break;
  }
  return 1;
}

const char* name(OpKind kind) {
  switch (kind) {
    case OpKind::embedding: return "embedding";
    case OpKind::layer_norm: return "layer_norm";
    case OpKind::linear: return "linear";
    case OpKind::attention: return "attention";
    case OpKind::gelu: return "gelu";
    case OpKind::residual: return "residual";
    case OpKind::loss: break;
  }
  return "loss";
}

const char* name(Features features) {
  switch (features) {
    case Features::residual: return "residual";
    case Features::qkv: return "qkv";
    case Features::heads: return "heads";
    case Features::inner: return "inner";
    case Features::statistic: break;
  }
  return "statistic";
}

}  // namespace wafersim::workloads
