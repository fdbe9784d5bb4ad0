#pragma once
// The wafer's edges on the I/O link: words of the link enter as wavelets, data wavelets that leave go back over it. A control wavelet that
// leaves the wafer has done its work and ends here.

#include "memoryx/io_link.h"
#include "models/mesh_driver.h"

namespace wafersim::models {

class LinkPorts : public EdgePorts {
 public:
  LinkPorts(memoryx::InLink& in, memoryx::OutLink& out) : in_(in), out_(out) {}

  void deliver(Cycle now, const Enter& enter) override;
  bool rooms_changed(Cycle now) override;
  bool room(memoryx::Port port, Cycle now) const override;
  void leave(memoryx::Port port, Cycle now, fabric::Color color, const fabric::Wavelet& wavelet) override;
  // The next word that comes to the head of an edge queue. One that waits there enters when the routers move.
  Cycle next_event(Cycle now) const override { return in_.next_arrival(now); }

  // Whether the link must be stepped because of what the wafer did since the last call.
  bool take_changes();
  // Whether some port had no room when the wafer last looked: it must look again when the link has freed some.
  bool refused() const { return refused_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(changed_, pushed_, asked_, refused_);
  }

 private:
  memoryx::InLink& in_;
  memoryx::OutLink& out_;
  bool changed_ = false;
  bool pushed_ = true;  // since rooms were last asked for
  Cycle asked_ = 0;     // when they were
  mutable bool refused_ = false;
};

}  // namespace wafersim::models
