#pragma once
// Stream order: what every word that crosses the I/O link is, decided when the plan is made and the same in every step.
// A lowered kernel lists the words that MemoryX sends for it and the meaning of the words that the wafer sends back.

#include <cstdint>
#include <vector>

#include "sim/dtype.h"

namespace wafersim::memoryx {

// What belongs to no system alone: a word that all of several get, or one that is the sum of theirs.
constexpr int all_systems = -1;

// A row of the west or east edge of the wafer.
struct Port {
  enum class Side : std::uint8_t { west, east };
  Side side = Side::west;
  std::uint16_t row = 0;
  friend bool operator==(const Port&, const Port&) = default;
};

// Where a value that MemoryX sends comes from.
struct StreamValue {
  enum class Kind : std::uint8_t {
    zero,            // padding
    parameter,       // element `index` of the parameter store
    token_row,       // element `index` + row * `width` of the store, row = id of token `token` (embedding gather)
    target,          // target of token `token`, as u32; 0xffffffff when token is no_token
    gradient_scale,  // fp32 loss_scale / tokens of the step that have a target
    word,            // the 32 bits of `index`
    start,           // `index` with the number of the call in the step in its low 16 bits
  };
  static constexpr std::uint32_t no_token = 0xffffffffu;
  Kind kind = Kind::zero;
  std::uint16_t width = 0;
  std::uint32_t index = 0;
  std::uint32_t token = 0;  // sample * sequence + position
};

// One word in: two values (fp16 or bf16, `low` in the low half) or one (fp32, u32).
struct StreamWord {
  Port port;
  std::uint8_t color = 0;
  sim::Dtype type = sim::Dtype::f32;
  StreamValue low;
  StreamValue high;
  bool packed() const { return sim::is_half(type); }
};

// What an fp32 word that leaves the wafer means.
struct GradientWord {
  enum class Kind : std::uint8_t {
    discard,
    parameter,  // gradient of element `index`: stored
    token_row,  // gradient of the embedding of token `token`, feature `index`
    loss,       // sum of the step's negative log likelihoods
  };
  Kind kind = Kind::discard;
  std::uint32_t index = 0;
  std::uint32_t token = 0;
  friend bool operator==(const GradientWord&, const GradientWord&) = default;
};

// Whether a word belongs to one system alone: it is of a token.
inline bool of_one_system(const StreamValue& v) {
  const bool of_token = v.kind == StreamValue::Kind::token_row || v.kind == StreamValue::Kind::target;
  return of_token && v.token != StreamValue::no_token;
}
inline bool of_one_system(const StreamWord& word) { return of_one_system(word.low) || (word.packed() && of_one_system(word.high)); }
inline bool of_one_system(const GradientWord& word) { return word.kind == GradientWord::Kind::token_row; }

// The words of one kernel call. `in` is in link order (each channel keeps it); `out` is in order per port and color: a color's words keep
// their order on the wafer, but when the link holds them up, those of a later call may overtake on another color.
struct CallStream {
  std::vector<StreamWord> in;
  struct PortWords {
    Port port;
    std::uint8_t color = 0;
    std::vector<GradientWord> words;
  };
  std::vector<PortWords> out;
};

}  // namespace wafersim::memoryx
