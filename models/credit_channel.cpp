#include "models/credit_channel.h"

namespace wafersim::models {

void Passage::extend(double words, double begin, double end) {
  if (words <= 0) return;
  end = std::max(begin, end);
  if (forgotten_ < pieces_.size() && begin == end && pieces_.back().begin == end && pieces_.back().end == end)
    pieces_.back().words += words;  // at once, as those before them
  else
    pieces_.push_back({total_, words, begin, end});
  total_ += words;
}

double Passage::time_of(double position) const {
  if (position <= 0) return 0.0;
  const std::span<const Piece> all = pieces();
  const auto after = std::partition_point(all.begin(), all.end(), [&](const Piece& piece) { return piece.first < position; });
  return after == all.begin() ? 0.0 : std::prev(after)->time_of(position);
}

double Passage::followed(double from, double to, double cycles) const {
  double end = 0;
  for (const Piece& piece : pieces()) {
    if (piece.first >= to) break;
    const double last = std::min(to, piece.first + piece.words), first = std::max(from, piece.first);
    if (last <= first) continue;
    end = std::max({end, piece.begin + (first - piece.first) / piece.words * (piece.end - piece.begin) + (to - first) * cycles,
                    piece.time_of(last) + (to - last) * cycles});
  }
  return end;
}

void Passage::forget(double position) {
  while (forgotten_ < pieces_.size() && pieces_[forgotten_].first + pieces_[forgotten_].words < position) ++forgotten_;
  if (forgotten_ < 16 || 2 * forgotten_ < pieces_.size()) return;
  pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(forgotten_));
  forgotten_ = 0;
}

double CreditQueue::send(double words, double queue, double cycles) {
  const double end = this->end(words, queue, cycles);
  first_ += words;
  left_.forget(first_ - queue);
  return end;
}

}  // namespace wafersim::models
