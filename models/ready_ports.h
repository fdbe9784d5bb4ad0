#pragma once
// Edge ports whose words are always there, one a port and cycle: a link that never limits and drops what leaves. For benches and kernel
// timing.

#include <deque>
#include <functional>
#include <map>

#include "models/mesh_driver.h"

namespace wafersim::models {

class ReadyPorts : public EdgePorts {
 public:
  // The bits of each word of a stream, in order.
  using Bits = std::function<std::uint32_t(const memoryx::StreamWord&)>;
  ReadyPorts(const memoryx::CallStream& stream, const Bits& bits) { add(stream, bits); }

  // The words of another call, behind those that are there.
  void add(const memoryx::CallStream& stream, const Bits& bits) {
    for (const memoryx::StreamWord& w : stream.in)
      ports_[{w.port.side == memoryx::Port::Side::east, w.port.row}].push_back({w.port, w.color, {bits(w), false, false}});
  }

  void deliver(Cycle, const Enter& enter) override {
    for (auto& [key, words] : ports_)
      if (!words.empty() && enter(words.front().port, words.front().color, words.front().wavelet)) words.pop_front();
  }
  bool room(memoryx::Port, Cycle) const override { return true; }
  bool rooms_changed(Cycle now) override { return now == 0; }
  void leave(memoryx::Port, Cycle, fabric::Color, const fabric::Wavelet&) override {}
  Cycle next_event(Cycle now) const override {
    for (const auto& [key, words] : ports_)
      if (!words.empty()) return now + 1;
    return MeshDriver::never;
  }

 private:
  struct Word {
    memoryx::Port port;
    fabric::Color color;
    fabric::Wavelet wavelet;
  };
  std::map<std::pair<bool, int>, std::deque<Word>> ports_;
};

}  // namespace wafersim::models
