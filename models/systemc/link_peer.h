#pragma once
// Who is at MemoryX's end of a wafer's link: MemoryX, or SwarmX where several systems train.

#include <cstdint>
#include <systemc>

namespace wafersim::models {

class LinkPeer : public virtual sc_core::sc_interface {
 public:
  // The link was stepped at cycle `now`: words may have been taken or have arrived.
  virtual void link_stepped(std::uint64_t now) = 0;
};

}  // namespace wafersim::models
