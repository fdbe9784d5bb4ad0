#pragma once
// What travels: 32 bits of payload and a control bit, on a color. A control wavelet's payload carries up to eight switch commands
// (2 bits each, the first in bits 0-1), for each a flag that the core ignores it (bits 16-23) and the id of the task it activates (bits
// 24-29). Routers whose color has no switches never look at bits 0-15: there a program may use them for a number of its own. The bit layout
// is ours [A: not public].

#include <cstdint>

namespace wafersim::fabric {

enum class SwitchCommand : std::uint8_t { nop = 0, advance = 1, reset = 2 };

struct Wavelet {
  std::uint32_t payload = 0;
  bool control = false;
  bool advance = false;  // moves the switch of the sender's own router once this wavelet has passed it
  template <class Archive>
  void serialize(Archive& archive) {
    archive(payload, control, advance);
  }
};

constexpr std::uint32_t control_payload(SwitchCommand command, bool core_ignores, int task, std::uint32_t number = 0) {
  return static_cast<std::uint32_t>(command) | (number & 0xffffu) | (core_ignores ? 1u << 16 : 0u) |
         (static_cast<std::uint32_t>(task) << 24);
}
constexpr SwitchCommand first_command(std::uint32_t payload) { return static_cast<SwitchCommand>(payload & 3u); }
constexpr bool core_ignores(std::uint32_t payload) { return (payload >> 16 & 1u) != 0; }
constexpr int control_task(std::uint32_t payload) { return static_cast<int>(payload >> 24 & 63u); }
constexpr std::uint32_t control_number(std::uint32_t payload) { return payload & 0xffffu; }

}  // namespace wafersim::fabric
