#include "workloads/link_load.h"

#include <algorithm>

#include "workloads/family.h"
#include "workloads/kernels/wafer_routes.h"

namespace wafersim::workloads {
namespace {

// Words of a call's start: how many arguments, the start itself, and they (kernels/streams.h).
int start_words(const CallOutline& call, int row_kinds) {
  const auto with = [](int arguments) { return 2 + arguments; };
  switch (call.kind) {
    case CallKind::embedding: return with(row_kinds > 1 ? 3 : 2);
    case CallKind::embedding_gradient: return with(2);
    case CallKind::share_keys:
    case CallKind::share_keys_gradient:
    case CallKind::relu:
    case CallKind::accumulate:
    case CallKind::round: return with(3);
    case CallKind::rotary:
    case CallKind::attention:
    case CallKind::gelu:
    case CallKind::gelu_erf:
    case CallKind::swiglu:
    case CallKind::add: return with(4);
    case CallKind::gelu_gradient:
    case CallKind::gelu_erf_gradient:
    case CallKind::relu_gradient:
    case CallKind::swiglu_gradient: return with(5);
    case CallKind::rms_norm:
    case CallKind::loss:
    case CallKind::attention_gradient: return with(6);
    case CallKind::layer_norm: return with(7);
    case CallKind::linear:
    case CallKind::weight_gradient: return with(8);
    case CallKind::logit_gradient:
    case CallKind::rms_norm_gradient: return with(9);
    case CallKind::layer_norm_gradient: return with(11);
  }
  return 0;
}

}  // namespace

LinkLoads::LinkLoads(const LoweringSpec& spec, const memoryx::LinkTiming& link)
    : type_(spec.type),
      columns_(spec.layout.columns),
      lanes_(spec.layout.lanes),
      slots_(spec.layout.tokens_per_pe),
      chunks_(spec.chunks()),
      tokens_(static_cast<double>(spec.layout.batch) * spec.layout.sequence),
      row_kinds_(family_form(spec.shape).row_kinds()),
      word_cycles_(4 / link.bytes_per_cycle()),
      in_(static_cast<std::size_t>(link.channels())),
      out_(in_) {
  const auto channel = [&](std::vector<Served>& channels, memoryx::Port port) -> Served& {
    return channels[static_cast<std::size_t>(link.channel_of(port))];
  };
  for (int row = 0; row < spec.layout.rows; ++row)
    for (std::vector<Served>* channels : {&in_, &out_})
      channel(*channels, {memoryx::Port::Side::west, static_cast<std::uint16_t>(row)}).rows += 1;
  channel(in_, {memoryx::Port::Side::west, 0}).corner = true;
  const int across = spec.layout.lanes * spec.layout.columns;
  for (Served& served : out_) served.row_routers = served.column_routers = across;
  const int width = feature_count(Features::residual, spec.shape), a_column = ceil_divide(width, spec.layout.columns);
  std::vector<bool> used_in(static_cast<std::size_t>(link.ports())), used_out = used_in;
  for (int c = 0; c < spec.layout.columns; ++c) {
    const int features = std::clamp(width - c * a_column, 0, a_column);
    token_features_ += features;
    token_words_ += words_of(features, type_);
    const auto serve = [&](std::vector<Served>& channels, std::vector<bool>& used, memoryx::Port port) {
      Served& served = channel(channels, port);
      served.columns += 1;
      served.features += features;
      if (used[static_cast<std::size_t>(link.port_index(port))]) return;
      used[static_cast<std::size_t>(link.port_index(port))] = true;
      served.column_ports += 1;
      served.feature_ports += features > 0 ? 1 : 0;
    };
    serve(in_, used_in, weight_port(spec.layout, c));
    const memoryx::Port out = gradient_port(spec.layout, c);
    serve(out_, used_out, out);
    const int to_edge = out.side == memoryx::Port::Side::west ? across - spec.layout.columns + c : spec.layout.columns - 1 - c;
    int& nearest = channel(out_, out).column_routers;
    nearest = std::min(nearest, spec.layout.rows - out.row + to_edge);
  }
}

LinkLoads::Streams LinkLoads::streams_of(const CallOutline& call) const {
  const auto words = [&](int values) { return static_cast<double>(words_of(values, type_)); };
  const double biases = call.bias ? words(call.tile_outputs) : 0;
  const double matrix = columns_ * call.tile_outputs * words(call.tile_inputs) + biases;
  Streams streams;
  streams.in.start = start_words(call, row_kinds_);
  switch (call.kind) {
    case CallKind::embedding: streams.in.row = row_kinds_ * slots_ * lanes_ * columns_ * words(call.tile_inputs); break;
    case CallKind::layer_norm: streams.in.feature = 2; break;
    case CallKind::rms_norm: streams.in.feature = 1; break;
    case CallKind::linear: streams.in.column = matrix; break;
    case CallKind::loss:
      streams.in.row = lanes_ * slots_;
      streams.rows_first = true;
      streams.in.column = chunks_ * matrix;
      streams.out.column = 1;
      break;
    case CallKind::logit_gradient: streams.in.column = 1 + matrix; break;
    case CallKind::weight_gradient:
      streams.out.column = columns_ * call.tile_outputs * call.tile_inputs + (call.bias ? call.tile_outputs : 0);
      break;
    case CallKind::layer_norm_gradient:
      streams.in.feature = 1;
      streams.out.feature = 2;
      break;
    case CallKind::rms_norm_gradient:
      streams.in.feature = 1;
      streams.out.feature = 1;
      break;
    case CallKind::embedding_gradient: streams.out.row = lanes_ * columns_ * call.tile_inputs * slots_; break;
    default: break;  // nothing but the start
  }
  return streams;
}

models::LinkLoad::Channel LinkLoads::Served::channel(const Counts& counts, double row_queue, double column_queue) const {
  models::LinkLoad::Channel channel;
  models::LinkLoad::Part &start = channel.parts[models::corner_port], &row = channel.parts[models::row_ports],
                         &column = channel.parts[models::column_ports];
  if (corner && counts.start > 0) start = {counts.start, row_queue};
  if (counts.row > 0) row = {counts.row * rows, rows * row_queue};
  column.words = counts.column * columns + counts.feature * features;
  column.queue = column_queue * std::max(counts.column > 0 ? column_ports : 0, counts.feature > 0 ? feature_ports : 0);
  return channel;
}

models::LinkLoad LinkLoads::of(const CallOutline& call, QueueWords queues) const {
  const Streams streams = streams_of(call);
  models::LinkLoad load;
  for (const Served& served : in_) {
    models::LinkLoad::Channel& channel = load.in.emplace_back(served.channel(streams.in, queues.edge, queues.edge));
    channel.parts[models::corner_port].first = true;
    channel.parts[models::row_ports].first = streams.rows_first;
  }
  for (const Served& served : out_)
    load.out.push_back(
        served.channel(streams.out, queues.edge + queues.router * served.row_routers, queues.edge + queues.router * served.column_routers));
  if (call.kind == CallKind::embedding) load.own_in = tokens_ * token_words_;  // other rows are all systems'
  if (call.kind == CallKind::loss) load.own_in = tokens_;
  if (call.kind == CallKind::embedding_gradient) load.own_out = tokens_ * token_features_;
  return load;
}

double LinkLoads::busiest_cycles(const CallOutline& call) const {
  const Streams streams = streams_of(call);
  double words = 0;
  for (const Served& channel : in_) words = std::max(words, channel.words(streams.in));
  for (const Served& channel : out_) words = std::max(words, channel.words(streams.out));
  return words * word_cycles_;
}

}  // namespace wafersim::workloads
