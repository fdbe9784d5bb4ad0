#include "workloads/link_load.h"

#include "workloads/family.h"
#include "workloads/kernels/wafer_routes.h"

namespace wafersim::workloads {
namespace {

constexpr double start_words = 8;  // a call's start with its arguments, on average

class Counter {
 public:
  Counter(const CallOutline& call, const LoweringSpec& spec, const memoryx::LinkTiming& link, int edge_queue_words)
      : call_(call), spec_(spec), layout_(spec.layout), link_(link), queue_(edge_queue_words) {
    load_.in.resize(static_cast<std::size_t>(link.channels()));
    load_.out = load_.in;
    in_ports_.resize(static_cast<std::size_t>(link.ports()));
    out_ports_ = in_ports_;
  }

  models::LinkLoad run() {
    const double h = call_.tile_inputs, columns = layout_.columns, lanes = layout_.lanes, slots = layout_.tokens_per_pe;
    const double biases = call_.bias ? words(call_.tile_outputs) : 0;
    const double matrix = columns * call_.tile_outputs * words(call_.tile_inputs) + biases;
    add(load_.in, {memoryx::Port::Side::west, 0}, start_words);
    switch (call_.kind) {
      case CallKind::embedding:
        rows(load_.in, family_form(spec_.shape).row_kinds() * slots * lanes * columns * words(call_.tile_inputs));
        break;
      case CallKind::layer_norm: norm(load_.in, 2); break;
      case CallKind::rms_norm: norm(load_.in, 1); break;
      case CallKind::linear: weights(matrix); break;
      case CallKind::loss:
        rows(load_.in, lanes * slots);
        weights(spec_.chunks() * matrix);
        gradients(1);
        break;
      case CallKind::logit_gradient: weights(1 + matrix); break;
      case CallKind::weight_gradient: gradients(columns * call_.tile_outputs * h + (call_.bias ? call_.tile_outputs : 0)); break;
      case CallKind::layer_norm_gradient:
        norm(load_.in, 1);
        norm(load_.out, 2);
        break;
      case CallKind::rms_norm_gradient:
        norm(load_.in, 1);
        norm(load_.out, 1);
        break;
      case CallKind::embedding_gradient: rows(load_.out, lanes * columns * h * slots); break;
      default: break;  // nothing but the start
    }
    return load_;
  }

 private:
  using Channels = std::vector<models::LinkLoad::Channel>;

  double words(int values) const { return words_of(values, spec_.type); }
  void add(Channels& channels, memoryx::Port port, double count) {
    models::LinkLoad::Channel& channel = channels[static_cast<std::size_t>(link_.channel_of(port))];
    channel.words += count;
    std::vector<bool>& ports = &channels == &load_.in ? in_ports_ : out_ports_;
    const std::size_t index = static_cast<std::size_t>(link_.port_index(port));
    if (count > 0 && !ports[index]) channel.queue += queue_;
    ports[index] = ports[index] || count > 0;
  }
  // Each row's, from the west.
  void rows(Channels& channels, double count) {
    for (int row = 0; row < layout_.rows; ++row) add(channels, {memoryx::Port::Side::west, static_cast<std::uint16_t>(row)}, count);
  }
  void weights(double a_column) {
    for (int c = 0; c < layout_.columns; ++c) add(load_.in, weight_port(layout_, c), a_column);
  }
  void gradients(double a_column) {
    for (int c = 0; c < layout_.columns; ++c) add(load_.out, gradient_port(layout_, c), a_column);
  }
  void norm(Channels& channels, int a_feature) {
    const FeatureMap map = contiguous_features(call_.inputs, layout_.columns);
    for (int c = 0; c < layout_.columns; ++c)
      add(channels, &channels == &load_.in ? weight_port(layout_, c) : gradient_port(layout_, c), a_feature * map.valid(c));
  }

  const CallOutline& call_;
  const LoweringSpec& spec_;
  const Layout& layout_;
  const memoryx::LinkTiming& link_;
  double queue_;
  models::LinkLoad load_;
  std::vector<bool> in_ports_, out_ports_;  // in use
};

}  // namespace

models::LinkLoad link_load(const CallOutline& call, const LoweringSpec& spec, const memoryx::LinkTiming& link, int edge_queue_words) {
  return Counter(call, spec, link, edge_queue_words).run();
}

}  // namespace wafersim::workloads
