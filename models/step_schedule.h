#pragma once
// A training step as kernel calls whose times are known: what the sampled simulation executes in the place of wavelets. The calls are those
// of one micro-batch, in the order in which they run; a step runs them `micro_batches` times. Cycles are those of the wafer's clock.

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "memoryx/link_timing.h"
#include "memoryx/store_work.h"
#include "models/link_words.h"

namespace wafersim::models {

// What a kernel call puts on the channels of the I/O link, by channel (memoryx::LinkTiming).
struct LinkLoad {
  // Ports of a channel that carry the same words in every call. All loads of a schedule name the parts of a channel in one order.
  struct Part {
    double ports = 0;
    // Of each port, 4 bytes each:
    std::array<double, link_words> words{};   // by kind; the kernel begins when starts and targets have come
    std::array<double, link_words> places{};  // words that wait in routers and cores between it and the first core that uses them (in), in
                                              // routers between the last core and it (out)
    double queue = 0;                         // words that its edge queue holds
    double bursts = 0;                        // in so many bursts rows come, the first at once; 0: evenly
    double ahead() const { return words[0] + words[1]; }
    double others() const { return words[2] + words[3]; }
    double all() const { return ports * (ahead() + others()); }
    // Of a kind, in the call's words from one share to another; what is sent ahead is among the first.
    double sent(LinkWords kind, double from, double to) const {
      if (words[static_cast<std::size_t>(kind)] <= 0) return 0;
      if (kind == LinkWords::start || kind == LinkWords::targets) return from > 0 ? 0 : words[static_cast<std::size_t>(kind)];
      const auto passed = [&](double share) { return bursts > 0 ? std::ceil(share * bursts) / bursts : share; };
      return words[static_cast<std::size_t>(kind)] * (passed(to) - passed(from));
    }
  };
  struct Channel {
    std::vector<Part> parts;
    int like = -1;  // a channel of the same edge that stands for it: in every load of the schedule it has the same words and no more room
                    // for them; -1: none
    double words() const {
      double sum = 0;
      for (const Part& part : parts) sum += part.all();
      return sum;
    }
  };
  std::vector<Channel> in, out;
  // Whether any channel has words in that are not sent ahead; words out.
  bool has_in = true, has_out = true;
  // Of the words of all channels: those of the system's own tokens, which no other system shares; how many of those in are sent ahead.
  double own_in = 0, own_ahead = 0, own_out = 0;
};

struct ScheduledCall {
  std::string kernel, phase;
  int layer = -1;
  double active_cycles = 0;  // first PE's start to last PE's completion, with weights that are always there and gradients that always leave
  double period_cycles = 0;  // to the next call's start
  double fill_cycles = 0;    // of the active ones: to its first gradient on the wafer's edge
  double drain_cycles = 0;   // and from its last word's use to its end
  int load = 0;              // of StepSchedule::loads
  std::vector<memoryx::TensorUse> reads, gradients;
};

struct StepSchedule {
  memoryx::LinkTiming link;
  std::vector<LinkLoad> loads;
  std::vector<ScheduledCall> calls;
  int micro_batches = 1;
  std::vector<double> tensor_elements;  // of the whole parameter store, by tensor
};

}  // namespace wafersim::models
