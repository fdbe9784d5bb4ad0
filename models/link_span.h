#pragma once
// When words crossed the I/O link, from the first to the last of an edge's channels. Wafer cycles with fractions.

#include <algorithm>
#include <limits>

namespace wafersim::models {

enum LinkEdge { west_edge, east_edge, link_edges };

struct LinkSpan {
  double words = 0;  // 0: none
  // Words of a channel that another stands for are counted without times, and maybe before those of that other.
  double first = std::numeric_limits<double>::infinity(), last = 0;

  void add(double more, double begin, double end) {
    if (more <= 0) return;
    first = std::min(first, begin);
    last = std::max(last, end);
    words += more;
  }
  void add(const LinkSpan& other) { add(other.words, other.first, other.last); }
};

}  // namespace wafersim::models
