#pragma once
// What a kernel call puts on each channel of the I/O link, counted from its outline: the words of the streams that lowering makes for it.

#include <vector>

#include "memoryx/link_timing.h"
#include "models/step_schedule.h"
#include "workloads/call_outline.h"

namespace wafersim::workloads {

// Words that wait between the cores and the link: in the queue of each port, and in each router's of a color.
struct QueueWords {
  int edge = 0, router = 0;
};

// The calls of one layout. A stream is made of rows' words (every row of the wafer has as many), columns' words (every column of a lane)
// and words for the true features of the residual stream; how many of each a channel serves is counted once.
class LinkLoads {
 public:
  // link: of a wafer of spec.layout.rows rows.
  LinkLoads(const LoweringSpec& spec, const memoryx::LinkTiming& link);

  // Before a port of gradients wait those in the routers on their way, of a channel's columns as many as the nearest has, because all
  // columns sum in step.
  models::LinkLoad of(const CallOutline& call, QueueWords queues) const;
  // Cycles for which the busiest channel of either direction is busy.
  double busiest_cycles(const CallOutline& call) const;

 private:
  struct Counts {  // words of a row, of a column, of a feature; of the start
    double row = 0, column = 0, feature = 0, start = 0;
  };
  struct Streams {
    Counts in, out;
    bool rows_first = false;  // ahead of the columns' words
  };
  // What a channel serves, over how many ports, and how many routers lie between the last core and the nearest of them.
  struct Served {
    double rows = 0, columns = 0, features = 0;
    double column_ports = 0, feature_ports = 0;
    int row_routers = 0, column_routers = 0;
    bool corner = false;

    double words(const Counts& counts) const {
      return counts.row * rows + counts.column * columns + counts.feature * features + (corner ? counts.start : 0);
    }
    // column_queue, row_queue: words before each port.
    models::LinkLoad::Channel channel(const Counts& counts, double row_queue, double column_queue) const;
  };

  Streams streams_of(const CallOutline& call) const;

  sim::Dtype type_;
  double columns_, lanes_, slots_, chunks_, tokens_;
  int row_kinds_;
  double token_features_ = 0, token_words_ = 0;  // of a token, over all columns
  double word_cycles_;
  std::vector<Served> in_, out_;  // by channel
};

}  // namespace wafersim::workloads
