#include "models/credit_channel.h"

namespace wafersim::models {

void Passage::extend(double words, double begin, double end) {
  if (words <= 0) return;
  pieces_.push_back({total_, words, begin, std::max(begin, end)});
  total_ += words;
}

double Passage::time_of(double position) const {
  if (position <= 0) return 0.0;
  const auto after = std::partition_point(pieces_.begin(), pieces_.end(), [&](const Piece& piece) { return piece.first < position; });
  if (after == pieces_.begin()) return 0.0;
  const Piece& piece = *std::prev(after);
  const double part = std::min(1.0, (position - piece.first) / piece.words);
  return piece.begin + part * (piece.end - piece.begin);
}

double Passage::followed(double from, double to, double cycles) const {
  double end = 0;
  for (const Piece& piece : pieces_) {
    const double last = std::min(to, piece.first + piece.words), first = std::max(from, piece.first);
    if (last <= first) continue;
    end = std::max({end, piece.begin + (first - piece.first) / piece.words * (piece.end - piece.begin) + (to - first) * cycles,
                    time_of(last) + (to - last) * cycles});
  }
  return end;
}

void Passage::forget(double position) {
  while (!pieces_.empty() && pieces_.front().first + pieces_.front().words < position) pieces_.pop_front();
}

double CreditQueue::send(double words, double queue, double cycles) {
  const double end = this->end(words, queue, cycles);
  first_ += words;
  left_.forget(first_ - queue);
  return end;
}

}  // namespace wafersim::models
