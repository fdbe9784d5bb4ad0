#pragma once
// Kinds of words into the wafer, by the color on which they wait for their kernel.

namespace wafersim::models {

enum class LinkWords {
  start,    // of a call, at the corner
  targets,  // by rows; they and starts are sent ahead of a call's others
  rows,     // of tokens
  columns,  // weights
};
constexpr int link_words = 4;

}  // namespace wafersim::models
