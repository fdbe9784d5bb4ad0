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

void Passage::forget(double position) {
  while (!pieces_.empty() && pieces_.front().first + pieces_.front().words < position) pieces_.pop_front();
}

double CreditQueue::send(double words, double queue) {
  first_ += words;
  const double room = left_.time_of(first_ - queue);
  left_.forget(first_ - queue);
  return room;
}

}  // namespace wafersim::models
