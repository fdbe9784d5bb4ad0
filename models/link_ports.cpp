#include "models/link_ports.h"

namespace wafersim::models {

void LinkPorts::deliver(Cycle now, const Enter& enter) {
  in_.deliver(now, [&](const memoryx::InWord& word) {
    const bool entered = enter(word.port, word.color, {word.bits, false, false});
    changed_ = changed_ || entered;
    return entered;
  });
}

// Words that leave take places; a word that starts gives one back for the next cycle.
bool LinkPorts::rooms_changed(Cycle now) {
  const Cycle started = out_.last_start();
  if (!pushed_ && (started == memoryx::never || started < asked_)) return false;
  pushed_ = refused_ = false;
  asked_ = now;
  return true;
}

bool LinkPorts::room(memoryx::Port port, Cycle now) const {
  const bool room = out_.room(port, now);
  refused_ = refused_ || !room;
  return room;
}

void LinkPorts::leave(memoryx::Port port, Cycle now, fabric::Color color, const fabric::Wavelet& wavelet) {
  if (wavelet.control) return;
  out_.push(port, now, color, wavelet.payload);
  changed_ = pushed_ = true;
}

bool LinkPorts::take_changes() {
  const bool changed = changed_;
  changed_ = false;
  return changed;
}

}  // namespace wafersim::models
