#pragma once
// What a kernel call puts on each channel of the I/O link, counted from its outline: the words of the streams that lowering makes for it.

#include <vector>

#include "memoryx/link_timing.h"
#include "models/step_schedule.h"
#include "workloads/call_outline.h"

namespace wafersim::workloads {

// Words that wait between the cores and the link: in the queue of each port, in each router's of a color, and between router and core, of
// weights, of starts, of token rows in and out.
struct QueueWords {
  int edge = 0, router = 0, feeder = 0, host = 0, rows = 0, rows_out = 0;
  int hop = 1;  // cycles, from the start of a row of PEs to that of the next, which so falls as many words behind
};

// The calls of one layout. A stream is made of rows' words (every row of the wafer has as many), columns' words (every column of a lane)
// and words for the true features of the residual stream; how many of each a channel serves is counted once.
class LinkLoads {
 public:
  // link: of a wafer of spec.layout.rows rows.
  LinkLoads(const LoweringSpec& spec, const memoryx::LinkTiming& link);

  // Words wait in the routers on their way, too: of the columns of a part as many as the nearest one's have, because all columns work in
  // step.
  models::LinkLoad of(const CallOutline& call, QueueWords queues) const;
  // Cycles for which the busiest channel of either direction is busy.
  double busiest_cycles(const CallOutline& call) const;

 private:
  struct Counts {  // words of a row, of a column, of a feature; of the start
    double row = 0, column = 0, feature = 0, start = 0;
  };
  struct Streams {
    Counts in, out;
    bool rows_ahead = false;  // of the columns' words
  };
  // Ports of a channel that serve the same, and how many routers lie between the nearest of them and its first or last core.
  struct Served {
    int ports = 0;
    int columns = 0, features = 0;  // of each port; the features of its columns
    bool row = false, corner = false;
    bool leads = false;  // the first of the channel's rows
    int row_routers = 0, column_routers = 0;

    // Words of each port.
    bool operator==(const Served&) const = default;
    double of_row(const Counts& counts) const { return row ? counts.row : 0; }
    double of_columns(const Counts& counts) const { return counts.column * columns + counts.feature * features; }
  };
  // What all ports of a channel serve together; starts: whether the corner is among them.
  struct Sums {
    double rows = 0, columns = 0, features = 0, starts = 0;
    bool operator==(const Sums&) const = default;
    double words(const Counts& counts) const {
      return rows * counts.row + columns * counts.column + features * counts.feature + starts * counts.start;
    }
  };
  struct Port;  // of one direction
  using Channels = std::vector<std::vector<Served>>;

  static Channels group(const std::vector<Port>& ports, const memoryx::LinkTiming& link);
  // Of all channels, each once.
  static std::vector<Sums> different_sums(const Channels& channels);
  static bool binds_before(const std::vector<Served>& one, const std::vector<Served>& other);
  // By channel: the one of its edge that stands for it (models::LinkLoad::Channel::like).
  static std::vector<int> representatives(const Channels& channels);
  Streams streams_of(const CallOutline& call) const;
  double in_cores(double of_row, double queue) const;
  models::LinkLoad::Channel channel_in(const std::vector<Served>& served, const Counts& counts, bool rows_ahead, QueueWords queues) const;
  models::LinkLoad::Channel channel_out(const std::vector<Served>& served, const Counts& counts, QueueWords queues) const;

  sim::Dtype type_;
  double columns_, lanes_, slots_, chunks_, tokens_;
  int row_kinds_;
  double token_features_ = 0, token_words_ = 0;  // of a token, over all columns
  double word_cycles_;
  Channels in_, out_;
  std::vector<Sums> in_sums_, out_sums_;
  std::vector<int> in_like_, out_like_;
};

}  // namespace wafersim::workloads
