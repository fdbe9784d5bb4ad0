#pragma once
// Contents of the SRAMs of a block's PEs. Only the bytes that the PE class uses (its high-water mark) exist on the host.

#include <cstdint>

#include "sim/aligned_vector.h"

namespace wafersim::models {

class SramBlock {
 public:
  // bytes: what each of `pes` PEs uses, at most the machine's SRAM.
  SramBlock(int pes, int bytes) : bytes_(bytes), contents_(static_cast<std::size_t>(pes) * static_cast<std::size_t>(bytes)) {}

  int bytes() const { return bytes_; }
  std::uint8_t* at(std::uint32_t pe, std::int32_t address) {
    return contents_.data() + static_cast<std::size_t>(pe) * static_cast<std::size_t>(bytes_) + static_cast<std::size_t>(address);
  }
  const std::uint8_t* at(std::uint32_t pe, std::int32_t address) const {
    return contents_.data() + static_cast<std::size_t>(pe) * static_cast<std::size_t>(bytes_) + static_cast<std::size_t>(address);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(contents_);
  }

 private:
  int bytes_;
  sim::AlignedVector<std::uint8_t> contents_;
};

}  // namespace wafersim::models
