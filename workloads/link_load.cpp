#include "workloads/link_load.h"

#include <algorithm>

#include "workloads/family.h"
#include "workloads/kernels/wafer_routes.h"

namespace wafersim::workloads {
namespace {

constexpr double start_words = 8;  // a call's start with its arguments, on average

}  // namespace

LinkLoads::LinkLoads(const LoweringSpec& spec, const memoryx::LinkTiming& link)
    : type_(spec.type),
      columns_(spec.layout.columns),
      lanes_(spec.layout.lanes),
      slots_(spec.layout.tokens_per_pe),
      chunks_(spec.chunks()),
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
  channel(in_, {memoryx::Port::Side::west, 0}).starts = 1;
  const int width = feature_count(Features::residual, spec.shape), a_column = ceil_divide(width, spec.layout.columns);
  std::vector<bool> used_in(static_cast<std::size_t>(link.ports())), used_out = used_in;
  for (int c = 0; c < spec.layout.columns; ++c) {
    const double features = std::clamp(width - c * a_column, 0, a_column);
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
    serve(out_, used_out, gradient_port(spec.layout, c));
  }
}

LinkLoads::Streams LinkLoads::streams_of(const CallOutline& call) const {
  const auto words = [&](int values) { return static_cast<double>(words_of(values, type_)); };
  const double biases = call.bias ? words(call.tile_outputs) : 0;
  const double matrix = columns_ * call.tile_outputs * words(call.tile_inputs) + biases;
  Streams streams;
  streams.in.start = start_words;
  switch (call.kind) {
    case CallKind::embedding: streams.in.row = row_kinds_ * slots_ * lanes_ * columns_ * words(call.tile_inputs); break;
    case CallKind::layer_norm: streams.in.feature = 2; break;
    case CallKind::rms_norm: streams.in.feature = 1; break;
    case CallKind::linear: streams.in.column = matrix; break;
    case CallKind::loss:
      streams.in.row = lanes_ * slots_;
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

// Every port of a channel in the west is a row's; columns of features are columns; the start's port is that of the first.
double LinkLoads::Served::ports(const Counts& counts) const {
  return std::max({counts.row > 0 ? rows : 0, counts.column > 0 ? column_ports : 0, counts.feature > 0 ? feature_ports : 0,
                   counts.start > 0 ? starts : 0});
}

models::LinkLoad LinkLoads::of(const CallOutline& call, int edge_queue_words) const {
  const Streams streams = streams_of(call);
  models::LinkLoad load;
  for (const Served& channel : in_) load.in.push_back({channel.words(streams.in), channel.ports(streams.in) * edge_queue_words});
  for (const Served& channel : out_) load.out.push_back({channel.words(streams.out), channel.ports(streams.out) * edge_queue_words});
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
