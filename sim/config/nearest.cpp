#include "sim/config/nearest.h"

#include <algorithm>

namespace wafersim::sim {
namespace {

constexpr std::size_t longest_compared = 128;  // bytes; the distance costs their product

std::string_view last_part(std::string_view key) {
  const auto dot = key.rfind('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

// Distance, or a number too large to win when more than a third of the word differs.
std::size_t misspelling(std::string_view wanted, std::string_view known) {
  const std::size_t distance = edit_distance(wanted, known);
  return distance <= std::max<std::size_t>(1, known.size() / 3) && distance < wanted.size() ? distance : longest_compared;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string nearest(std::string_view wanted, const std::vector<std::string>& known) {
  wanted = wanted.substr(0, longest_compared);
  std::string best;
  std::size_t best_distance = longest_compared;
  for (const std::string& key : known) {
    // A right last part below a wrong parent is one step worse than the same word below the right one.
    const std::size_t distance = std::min(misspelling(wanted, key), misspelling(last_part(wanted), last_part(key)) + 1);
    if (distance < best_distance) {
      best = key;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace wafersim::sim
