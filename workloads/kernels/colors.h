#pragma once
// Names of the colors and queues that the kernels share. One set of static routes serves all kernels (design, section 6).

#include "fabric/geometry.h"

namespace wafersim::workloads {

enum ColorName : fabric::Color {
  color_x0,  // row ring of a lane: x0 and x1 alternate on the edges c -> c + 1
  color_x1,
  color_x2,  // its wrap, last column to first
  color_x3,  // row return broadcast from a lane's last column
  color_h2,  // wrap of a head's columns
  color_h3,  // return broadcast from a head's last column
  color_y0,  // down a column: y0 and y1 alternate on the edges y -> y + 1
  color_y1,
  color_a2,       // wrap over the rows of one sequence
  color_wh_east,  // weights along feeder rows, entering from the east
  color_wh_west,  // and from the west
  color_wv,       // weights up and down a column
  color_z0,       // sums from a column's last row to its first in the next lane, from even lanes
  color_z1,       // and from odd ones
  color_z2,       // out of the wafer from the last lane, east from even columns
  color_z3,       // and west from odd ones
  color_e0,       // token rows in
  color_e1,       // targets in
  color_g,        // token rows out, to the west
  color_f0,       // kernel start
  color_f1,       // completion along rows
  color_f2,       // completion along the first column
  color_f3,       // starts of calls from the host, into the north-west corner
};

// Words that enter the wafer come as early as links and edges let them: an input queue that takes them keeps its color. Only in_row and
// in_column change theirs, whose words other cores send in the order of the kernels.
enum QueueName : int {
  in_weights = 0,
  in_row = 1,
  in_feeder = 2,
  in_targets = 3,
  in_column = 4,
  in_host = 5,  // of the north-west corner
  in_edge = 6,  // token rows
  in_start = 7,

  out_weights = 0,
  out_row = 2,
  out_column = 3,
  out_edge = 4,
  out_start = 5,
};

enum MicrothreadName : int { microthread_weights = 0, microthread_arguments = 7 };

}  // namespace wafersim::workloads
