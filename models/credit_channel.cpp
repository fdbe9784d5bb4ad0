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

double CreditQueue::send(const QueuedWords& w, double cycles) {
  const double from = w.first, to = w.first + w.words;
  const double passes = std::clamp(w.group + w.port, from, to);  // the last one that waits for words before the group
  double end = 0;
  if (passes > from) end = left_.followed(from - w.port - w.behind, passes - w.port - w.behind, cycles) + (to - passes) * cycles;
  if (passes < to)
    end = std::max({end, left_.followed(passes - w.room, to - w.room, cycles), left_.time_of(w.gate()) + (to - passes) * cycles});
  left_.forget(needed(w, w.words));
  return end;
}

double CreditQueue::blocked(const QueuedWords& w) const {
  const double left = left_.total();
  const double have_room = left < w.gate() ? left + w.port + w.behind : std::max(w.group + w.port, left + w.room);
  return std::clamp(w.first + w.words - have_room, 0.0, w.words);
}

}  // namespace wafersim::models
