#include "workloads/link_load.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

struct LinkLoads::Port {
  int columns = 0, features = 0;
  bool row = false, corner = false, leads = false;
  int row_routers = 0, column_routers = std::numeric_limits<int>::max();
};

LinkLoads::Channels LinkLoads::group(const std::vector<Port>& ports, const memoryx::LinkTiming& link) {
  Channels channels(static_cast<std::size_t>(link.channels()));
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const Port& port = ports[i];
    if (!port.row && port.columns == 0) continue;
    std::vector<Served>& served = channels[static_cast<std::size_t>(link.channel_of(link.port(static_cast<int>(i))))];
    auto same = std::find_if(served.begin(), served.end(), [&](const Served& s) {
      return s.columns == port.columns && s.features == port.features && s.row == port.row && s.corner == port.corner &&
             s.leads == port.leads;
    });
    if (same == served.end())
      same =
          served.insert(same, {0, port.columns, port.features, port.row, port.corner, port.leads, port.row_routers, port.column_routers});
    ++same->ports;
    same->column_routers = std::min(same->column_routers, port.column_routers);
  }
  return channels;
}

std::vector<LinkLoads::Sums> LinkLoads::different_sums(const Channels& channels) {
  std::vector<Sums> different;
  for (const std::vector<Served>& served : channels) {
    Sums sums;
    for (const Served& s : served) {
      sums.rows += s.row ? s.ports : 0;
      sums.columns += s.ports * s.columns;
      sums.features += s.ports * s.features;
      sums.starts += s.corner ? 1 : 0;
    }
    if (std::find(different.begin(), different.end(), sums) == different.end()) different.push_back(sums);
  }
  return different;
}

// Same words over the same ports, with room for no more of them.
bool LinkLoads::binds_before(const std::vector<Served>& one, const std::vector<Served>& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](Served a, const Served& b) {
    if (a.column_routers > b.column_routers) return false;
    a.column_routers = b.column_routers;
    return a == b;
  });
}

std::vector<int> LinkLoads::representatives(const Channels& channels) {
  std::vector<int> like(channels.size(), -1);
  const std::size_t an_edge = channels.size() / 2;
  for (std::size_t c = 0; c < channels.size(); ++c)
    for (std::size_t b = c / an_edge * an_edge, end = b + an_edge; b < end && like[c] < 0; ++b) {
      const bool stands_for = b != c && binds_before(channels[b], channels[c]) && (b < c || !binds_before(channels[c], channels[b]));
      if (stands_for) like[c] = static_cast<int>(b);
    }
  for (int& of : like)
    while (of >= 0 && like[static_cast<std::size_t>(of)] >= 0) of = like[static_cast<std::size_t>(of)];
  return like;
}

LinkLoads::LinkLoads(const LoweringSpec& spec, const memoryx::LinkTiming& link)
    : type_(spec.type),
      columns_(spec.layout.columns),
      lanes_(spec.layout.lanes),
      slots_(spec.layout.tokens_per_pe),
      chunks_(spec.chunks()),
      tokens_(static_cast<double>(spec.layout.batch) * spec.layout.sequence),
      row_kinds_(family_form(spec.shape).row_kinds()),
      word_cycles_(4 / link.bytes_per_cycle()) {
  using Side = memoryx::Port::Side;
  const int columns = spec.layout.columns, across = spec.layout.lanes * columns;
  std::vector<Port> in(static_cast<std::size_t>(link.ports())), out = in;
  for (int row = 0; row < spec.layout.rows; ++row) {
    const auto west = static_cast<std::size_t>(link.port_index({Side::west, static_cast<std::uint16_t>(row)}));
    in[west].row = out[west].row = true;
    in[west].row_routers = 1;
    in[west].leads = row == 0 || link.channel_of({Side::west, static_cast<std::uint16_t>(row)}) !=
                                     link.channel_of({Side::west, static_cast<std::uint16_t>(row - 1)});
    out[west].row_routers = across;
  }
  in[static_cast<std::size_t>(link.port_index({Side::west, 0}))].corner = true;
  const int width = feature_count(Features::residual, spec.shape), a_column = ceil_divide(width, columns);
  for (int c = 0; c < columns; ++c) {
    const int features = std::clamp(width - c * a_column, 0, a_column);
    token_features_ += features;
    token_words_ += words_of(features, type_);
    const auto serve = [&](std::vector<Port>& ports, memoryx::Port place, int routers) {
      Port& port = ports[static_cast<std::size_t>(link.port_index(place))];
      port.columns += 1;
      port.features += features;
      port.column_routers = std::min(port.column_routers, routers);
    };
    const memoryx::Port enters = weight_port(spec.layout, c), leaves = gradient_port(spec.layout, c);
    serve(in, enters, enters.side == Side::west ? c + 1 : columns - c);
    serve(out, leaves, spec.layout.rows - leaves.row + (leaves.side == Side::west ? across - columns + c : columns - 1 - c));
  }
  in_ = group(in, link);
  out_ = group(out, link);
  in_sums_ = different_sums(in_);
  out_sums_ = different_sums(out_);
  in_like_ = representatives(in_);
  out_like_ = representatives(out_);
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
      streams.rows_ahead = true;
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

// Of the words of token rows that come to a row of PEs before its kernel: a slot's go to the row's cores in turn, each its own; the first
// core that has no room for one keeps all that follow.
double LinkLoads::in_cores(double of_row, double queue) const {
  if (of_row <= 0) return 0;
  const double windows = static_cast<double>(slots_) * row_kinds_, across = static_cast<double>(lanes_) * columns_;
  const double window = of_row / (windows * across), held = std::floor(queue / window);
  return held < windows ? held * window * across + queue - held * window : of_row;
}

models::LinkLoad::Channel LinkLoads::channel_in(const std::vector<Served>& served, const Counts& counts, bool rows_ahead,
                                                QueueWords queues) const {
  models::LinkLoad::Channel channel;
  for (const Served& s : served) {
    const double of_row = s.of_row(counts), of_columns = s.of_columns(counts);
    const double row_places = queues.router * s.row_routers;
    models::LinkLoad::Part& part = channel.parts.emplace_back();
    part.ports = s.ports;
    part.words = {s.corner ? counts.start : 0, rows_ahead ? of_row : 0, rows_ahead ? 0 : of_row, of_columns};
    part.places = {static_cast<double>(queues.router + queues.host), row_places, row_places + in_cores(of_row, queues.rows),
                   static_cast<double>(queues.feeder + queues.router * s.column_routers)};
    part.queue = queues.edge;
    if (s.leads && of_row > 0 && !rows_ahead) part.bursts = slots_ * row_kinds_;  // row after row of the same slot
  }
  return channel;
}

models::LinkLoad::Channel LinkLoads::channel_out(const std::vector<Served>& served, const Counts& counts, QueueWords queues) const {
  models::LinkLoad::Channel channel;
  double ports = 0;
  for (const Served& s : served) ports += s.row ? s.ports : 0;
  // A row begins a hop after the one north of it and stays as many words behind it: the last one's end is all rows'.
  const double behind = (ports - 1) / 2 * queues.hop;
  for (const Served& s : served) {
    models::LinkLoad::Part& part = channel.parts.emplace_back();
    part.ports = s.ports;
    part.words = {0, 0, s.of_row(counts), s.of_columns(counts)};
    // The last core's own words wait in their queue alone.
    const double rows = queues.router * (s.row_routers - 1) + std::min(queues.router, queues.rows_out);
    part.places = {0, 0, std::max(0.0, rows - behind), static_cast<double>(queues.router * s.column_routers)};
    part.queue = queues.edge;
  }
  return channel;
}

models::LinkLoad LinkLoads::of(const CallOutline& call, QueueWords queues) const {
  const Streams streams = streams_of(call);
  models::LinkLoad load;
  for (const std::vector<Served>& served : in_) load.in.push_back(channel_in(served, streams.in, streams.rows_ahead, queues));
  for (const std::vector<Served>& served : out_) load.out.push_back(channel_out(served, streams.out, queues));
  for (std::size_t c = 0; c < load.in.size(); ++c) {
    load.in[c].like = in_like_[c];
    load.out[c].like = out_like_[c];
  }
  const auto sum = [](const Counts& counts) { return counts.row + counts.column + counts.feature; };
  load.has_in = sum(streams.in) > 0;
  load.has_out = sum(streams.out) > 0;
  if (call.kind == CallKind::embedding) load.own_in = tokens_ * token_words_;  // other rows are all systems'
  if (call.kind == CallKind::loss) load.own_in = load.own_ahead = tokens_;     // targets
  if (call.kind == CallKind::embedding_gradient) load.own_out = tokens_ * token_features_;
  return load;
}

double LinkLoads::busiest_cycles(const CallOutline& call) const {
  const Streams streams = streams_of(call);
  double words = 0;
  for (const Sums& sums : in_sums_) words = std::max(words, sums.words(streams.in));
  for (const Sums& sums : out_sums_) words = std::max(words, sums.words(streams.out));
  return words * word_cycles_;
}

}  // namespace wafersim::workloads
