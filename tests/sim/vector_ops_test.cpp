#include "sim/numerics/vector_ops.h"

#include <array>
#include <bit>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "sim/error.h"
#include "sim/numerics/elementary.h"
#include "sim/random.h"

namespace wafersim::sim::numerics {
namespace {

constexpr std::size_t longest = 67;
constexpr std::size_t room = longest + 40;  // what lies around the n elements must stay as it is

// Bits of every kind: random, plausible values, subnormals, infinities, NaNs with payload, zeros, limits of fp16.
std::uint32_t pattern(std::uint64_t stream, std::uint64_t k) {
  constexpr std::array<std::uint32_t, 16> special = {0x00000000u, 0x80000000u, 0x7F800000u, 0xFF800000u, 0x7FC00000u, 0xFFC00000u,
                                                     0x7F800001u, 0xFFFFFFFFu, 0x00000001u, 0x807FFFFFu, 0x7F7FFFFFu, 0x3F800000u,
                                                     0x477FF000u, 0x477FEFFFu, 0x33000000u, 0x38800000u};
  const auto words = random_words(7, stream, k);
  switch (words[0] % 5) {
    case 0: return words[1];
    case 1: return special[words[1] % special.size()];
    case 2: return words[1] & 0x807FFFFFu;
    case 3: return std::bit_cast<std::uint32_t>(normal(7, stream, k) * 0x1p-15f);
    default: return std::bit_cast<std::uint32_t>(normal(7, stream, k) * 8.0f);
  }
}

// The operands of one call; arrays begin at different, mostly unaligned, places. fp32 is held as bits, so that equality compares NaNs too.
struct Operands {
  std::array<std::uint32_t, room> out, a, b;
  std::array<std::uint16_t, room> half_out, half;
  std::uint32_t s;
  std::size_t n;
  std::size_t offset;

  bool operator==(const Operands&) const = default;
};

Operands operands(std::size_t n, std::uint64_t trial) {
  Operands x{};
  for (std::size_t k = 0; k < room; ++k) {
    const std::uint64_t index = (n * 16 + trial) * room + k;
    x.out[k] = pattern(0, index);
    x.a[k] = pattern(1, index);
    x.b[k] = pattern(2, index);
    x.half_out[k] = static_cast<std::uint16_t>(pattern(3, index));
    // Half of the fp16 operands are plain values, half any bits.
    x.half[k] = index % 2 == 0 ? to_half(normal(7, 4, index)) : static_cast<std::uint16_t>(random_bits(7, 4, index));
  }
  x.s = pattern(5, n * 16 + trial);
  x.n = n;
  x.offset = 1 + trial;
  return x;
}

// Typed access to the operands from their offset on; copied in and out, so that a call sees true float arrays.
struct Arrays {
  explicit Arrays(const Operands& x) : n(x.n), s(std::bit_cast<float>(x.s)) {
    for (std::size_t k = 0; k < room; ++k) {
      out_storage[k] = std::bit_cast<float>(x.out[k]);
      a_storage[k] = std::bit_cast<float>(x.a[k]);
      b_storage[k] = std::bit_cast<float>(x.b[k]);
    }
    half_out_storage = x.half_out;
    half_storage = x.half;
    out = out_storage.data() + x.offset;
    a = a_storage.data() + x.offset / 2;
    b = b_storage.data() + x.offset;
    half_out = half_out_storage.data() + x.offset;
    half = half_storage.data() + x.offset;
  }
  Arrays(const Arrays&) = delete;
  Arrays& operator=(const Arrays&) = delete;

  // What the call left in the arrays it may write, surroundings included.
  Operands result(Operands x) const {
    for (std::size_t k = 0; k < room; ++k) x.out[k] = std::bit_cast<std::uint32_t>(out_storage[k]);
    x.half_out = half_out_storage;
    return x;
  }

  std::array<float, room> out_storage, a_storage, b_storage;
  std::array<std::uint16_t, room> half_out_storage, half_storage;
  float *out, *a, *b;
  std::uint16_t *half_out, *half;
  std::size_t n;
  float s;
};

struct Operation {
  const char* name;
  void (*vector)(Arrays&);
  void (*scalar)(Arrays&, std::size_t k);  // element k
};

using A = Arrays;
constexpr Operation operations[] = {
    {"add", [](A& x) { add(x.out, x.a, x.b, x.n); }, [](A& x, std::size_t k) { x.out[k] = add(x.a[k], x.b[k]); }},
    {"add into its second", [](A& x) { add(x.out, x.a, x.out, x.n); }, [](A& x, std::size_t k) { x.out[k] = add(x.a[k], x.out[k]); }},
    {"sub", [](A& x) { sub(x.out, x.a, x.b, x.n); }, [](A& x, std::size_t k) { x.out[k] = sub(x.a[k], x.b[k]); }},
    {"mul", [](A& x) { mul(x.out, x.a, x.b, x.n); }, [](A& x, std::size_t k) { x.out[k] = mul(x.a[k], x.b[k]); }},
    {"add_scalar", [](A& x) { add_scalar(x.out, x.a, x.s, x.n); }, [](A& x, std::size_t k) { x.out[k] = add(x.a[k], x.s); }},
    {"mul_scalar", [](A& x) { mul_scalar(x.out, x.a, x.s, x.n); }, [](A& x, std::size_t k) { x.out[k] = mul(x.a[k], x.s); }},
    {"max", [](A& x) { max(x.out, x.a, x.b, x.n); }, [](A& x, std::size_t k) { x.out[k] = max(x.a[k], x.b[k]); }},
    {"max into its first", [](A& x) { max(x.out, x.out, x.b, x.n); }, [](A& x, std::size_t k) { x.out[k] = max(x.out[k], x.b[k]); }},
    {"fma_scalar", [](A& x) { fma_scalar(x.out, x.a, x.s, x.n); }, [](A& x, std::size_t k) { x.out[k] = fma(x.a[k], x.s, x.out[k]); }},
    {"fma_scalar_half", [](A& x) { fma_scalar_half(x.out, x.half, x.s, x.n); },
     [](A& x, std::size_t k) { x.out[k] = fma(from_half(x.half[k]), x.s, x.out[k]); }},
    {"fma_scalar_bfloat", [](A& x) { fma_scalar_bfloat(x.out, x.half, x.s, x.n); },
     [](A& x, std::size_t k) { x.out[k] = fma(from_bfloat(x.half[k]), x.s, x.out[k]); }},
    {"fma_vector", [](A& x) { fma_vector(x.out, x.a, x.b, x.n); }, [](A& x, std::size_t k) { x.out[k] = fma(x.a[k], x.b[k], x.out[k]); }},
    {"exp", [](A& x) { exp(x.out, x.a, x.n); }, [](A& x, std::size_t k) { x.out[k] = exp(x.a[k]); }},
    {"exp in place", [](A& x) { exp(x.out, x.out, x.n); }, [](A& x, std::size_t k) { x.out[k] = exp(x.out[k]); }},
    {"tanh", [](A& x) { tanh(x.out, x.a, x.n); }, [](A& x, std::size_t k) { x.out[k] = tanh(x.a[k]); }},
    {"erf", [](A& x) { erf(x.out, x.a, x.n); }, [](A& x, std::size_t k) { x.out[k] = erf(x.a[k]); }},
    {"to_half", [](A& x) { to_half(x.half_out, x.a, x.n); }, [](A& x, std::size_t k) { x.half_out[k] = to_half(x.a[k]); }},
    {"from_half", [](A& x) { from_half(x.out, x.half, x.n); }, [](A& x, std::size_t k) { x.out[k] = from_half(x.half[k]); }},
    {"to_bfloat", [](A& x) { to_bfloat(x.half_out, x.a, x.n); }, [](A& x, std::size_t k) { x.half_out[k] = to_bfloat(x.a[k]); }},
    {"from_bfloat", [](A& x) { from_bfloat(x.out, x.half, x.n); }, [](A& x, std::size_t k) { x.out[k] = from_bfloat(x.half[k]); }},
};

// Leaves the best target chosen.
class VectorOps : public ::testing::Test {
 protected:
  static std::vector<std::string> targets() {
    const auto names = available_targets();
    return {names.begin(), names.end()};
  }
  void TearDown() override { force_target(""); }
};

TEST_F(VectorOps, GiveTheScalarBitsOnEveryTargetAtEveryLengthAndAlignment) {
  for (std::size_t n = 0; n <= longest; ++n) {
    for (std::uint64_t trial = 0; trial < 16; ++trial) {
      const Operands start = operands(n, trial);
      for (const Operation& operation : operations) {
        Arrays scalar(start);
        for (std::size_t k = 0; k < n; ++k) operation.scalar(scalar, k);
        const Operands expected = scalar.result(start);
        for (const std::string& target : targets()) {
          force_target(target.c_str());
          Arrays vector(start);
          operation.vector(vector);
          ASSERT_EQ(vector.result(start), expected) << operation.name << " on " << target << ", n = " << n << ", trial " << trial;
        }
      }
    }
  }
}

// Long arrays through the functions that have branches of their own: every fp16 and bf16 pattern, and fp32 patterns of every exponent.
TEST_F(VectorOps, ConvertAndEvaluateEveryExponentLikeTheScalarsOnEveryTarget) {
  std::vector<std::uint16_t> halves(65536);
  for (std::size_t k = 0; k < halves.size(); ++k) halves[k] = static_cast<std::uint16_t>(k);
  std::vector<float> floats;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 20011)
    floats.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
  for (const std::string& target : targets()) {
    force_target(target.c_str());
    std::vector<float> widened(halves.size()), bfloats(halves.size()), exps(floats.size()), tanhs(floats.size()), erfs(floats.size());
    std::vector<std::uint16_t> narrowed(floats.size()), narrowed_bfloats(floats.size());
    from_half(widened.data(), halves.data(), halves.size());
    to_half(narrowed.data(), floats.data(), floats.size());
    from_bfloat(bfloats.data(), halves.data(), halves.size());
    to_bfloat(narrowed_bfloats.data(), floats.data(), floats.size());
    exp(exps.data(), floats.data(), floats.size());
    tanh(tanhs.data(), floats.data(), floats.size());
    erf(erfs.data(), floats.data(), floats.size());
    for (std::size_t k = 0; k < halves.size(); ++k) {
      ASSERT_EQ(bits(widened[k]), bits(from_half(halves[k]))) << target << " " << k;
      ASSERT_EQ(bits(bfloats[k]), bits(from_bfloat(halves[k]))) << target << " " << k;
    }
    for (std::size_t k = 0; k < floats.size(); ++k) {
      ASSERT_EQ(narrowed[k], to_half(floats[k])) << target << " " << floats[k];
      ASSERT_EQ(narrowed_bfloats[k], to_bfloat(floats[k])) << target << " " << floats[k];
      ASSERT_EQ(bits(exps[k]), bits(exp(floats[k]))) << target << " " << floats[k];
      ASSERT_EQ(bits(tanhs[k]), bits(tanh(floats[k]))) << target << " " << floats[k];
      ASSERT_EQ(bits(erfs[k]), bits(erf(floats[k]))) << target << " " << floats[k];
    }
  }
}

TEST_F(VectorOps, RefuseATargetTheHostDoesNotHave) {
  ASSERT_FALSE(targets().empty());
  for (const std::string& target : targets()) EXPECT_NO_THROW(force_target(target.c_str()));
  try {
    force_target("MMX");
    FAIL() << "an unknown target was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::unsupported);
    EXPECT_NE(std::string(error.what()).find("MMX"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find(targets().front()), std::string::npos) << "the message names what is allowed";
  }
}

}  // namespace
}  // namespace wafersim::sim::numerics
