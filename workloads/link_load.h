#pragma once
// What a kernel call puts on each channel of the I/O link, counted from its outline: the words of the streams that lowering makes for it;
// those of its start, which differ a little from kernel to kernel, on average.

#include <vector>

#include "memoryx/link_timing.h"
#include "models/step_schedule.h"
#include "workloads/call_outline.h"

namespace wafersim::workloads {

// The calls of one layout. A stream is made of rows' words (every row of the wafer has as many), columns' words (every column of a lane)
// and words for the true features of the residual stream; how many of each a channel serves is counted once.
class LinkLoads {
 public:
  // link: of a wafer of spec.layout.rows rows.
  LinkLoads(const LoweringSpec& spec, const memoryx::LinkTiming& link);

  // edge_queue_words: of each port.
  models::LinkLoad of(const CallOutline& call, int edge_queue_words) const;
  // Cycles for which the busiest channel of either direction is busy.
  double busiest_cycles(const CallOutline& call) const;

 private:
  struct Counts {  // words of a row, of a column, of a feature; of the start
    double row = 0, column = 0, feature = 0, start = 0;
  };
  struct Streams {
    Counts in, out;
  };
  // What a channel serves, and over how many ports.
  struct Served {
    double rows = 0, columns = 0, features = 0, starts = 0;
    double column_ports = 0, feature_ports = 0;

    double words(const Counts& counts) const {
      return counts.row * rows + counts.column * columns + counts.feature * features + counts.start * starts;
    }
    double ports(const Counts& counts) const;
  };

  Streams streams_of(const CallOutline& call) const;

  sim::Dtype type_;
  double columns_, lanes_, slots_, chunks_, row_kinds_;
  double word_cycles_;
  std::vector<Served> in_, out_;  // by channel
};

}  // namespace wafersim::workloads
