#include "workloads/call_traffic.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace wafersim::workloads {

CallTraffic traffic_of(const memoryx::CallStream& stream, const memoryx::LinkTiming& link) {
  using memoryx::GradientWord;
  using memoryx::StreamValue;
  CallTraffic traffic;
  const std::size_t channels = static_cast<std::size_t>(link.channels());
  std::vector<std::uint64_t> in(channels), out(channels);
  for (const memoryx::StreamWord& word : stream.in) {
    ++in[static_cast<std::size_t>(link.channel_of(word.port))];
    traffic.padding_in += word.low.kind == StreamValue::Kind::zero && word.high.kind == StreamValue::Kind::zero;
  }
  for (const memoryx::CallStream::PortWords& port : stream.out) {
    out[static_cast<std::size_t>(link.channel_of(port.port))] += port.words.size();
    traffic.words_out += port.words.size();
    for (const GradientWord& word : port.words) traffic.padding_out += word.kind == GradientWord::Kind::discard;
  }
  traffic.words_in = stream.in.size();
  const double word_cycles = 4.0 / link.bytes_per_cycle();
  traffic.cycles_in = word_cycles * static_cast<double>(*std::max_element(in.begin(), in.end()));
  traffic.cycles_out = word_cycles * static_cast<double>(*std::max_element(out.begin(), out.end()));
  return traffic;
}

CallTraffic traffic_of(const models::LinkLoad& load, const memoryx::LinkTiming& link) {
  CallTraffic traffic;
  const double word_cycles = 4 / link.bytes_per_cycle();
  const auto add = [&](const std::vector<models::LinkLoad::Channel>& channels, std::uint64_t& words, double& cycles) {
    double sum = 0, most = 0;
    for (const models::LinkLoad::Channel& channel : channels) {
      sum += channel.words();
      most = std::max(most, channel.words());
    }
    words = static_cast<std::uint64_t>(std::llround(sum));
    cycles = most * word_cycles;
  };
  add(load.in, traffic.words_in, traffic.cycles_in);
  add(load.out, traffic.words_out, traffic.cycles_out);
  return traffic;
}

}  // namespace wafersim::workloads
