#pragma once
// Constants of exp, log and tanh, shared by the scalar definition and its vector form. Polynomials are minimax (Remez) fits rounded to
// fp32, evaluated by Horner's rule with separate multiplications and additions: no fma, so hosts without one are as fast and give the same
// bits.

namespace wafersim::sim::numerics::approximation {

// x = k ln 2 + r. ln2_high has 15 significant bits: k * ln2_high is exact for |k| < 512.
inline constexpr float log2_e = 0x1.715476p+0f;
inline constexpr float ln2_high = 0x1.62e4p-1f;
inline constexpr float ln2_low = 0x1.7f7d1cp-20f;
// Adding it to |v| < 2^22 rounds v to an integer, which is then the difference of the two bit patterns.
inline constexpr float round_magic = 0x1.8p+23f;

// exp(r) = 1 + (r + r^2 q(r)) for |r| <= ln(2) / 2, relative error 2^-34. Below exp_min the result is 0, above exp_max infinity.
inline constexpr float exp_min = -105.0f;
inline constexpr float exp_max = 89.0f;
inline constexpr float exp_q[6] = {0x1.000000p-1f, 0x1.555554p-3f, 0x1.55548cp-5f, 0x1.111274p-7f, 0x1.6d8e6ep-10f, 0x1.9f0794p-13f};

// tanh(x) = x + x^3 p(x^2) for |x| < tanh_split, relative error 2^-27.8; else 1 - 2 / (exp(2|x|) + 1), which is 1 at tanh_max.
inline constexpr float tanh_split = 0.625f;
inline constexpr float tanh_max = 9.5f;
inline constexpr float tanh_p[5] = {-0x1.555532p-2f, 0x1.110726p-3f, -0x1.b83c5ap-5f, 0x1.522698p-6f, -0x1.75e1c2p-8f};

// log(1 + f) = f - f^2 / 2 + f^3 p(f) for sqrt(1/2) <= 1 + f < sqrt(2), relative error 2^-30.3.
inline constexpr float log_p[9] = {0x1.555548p-2f,  -0x1.000006p-2f, 0x1.99a4b6p-3f,  -0x1.555c4ep-3f, 0x1.233768p-3f,
                                   -0x1.fc220ap-4f, 0x1.e6f06cp-4f,  -0x1.de3c12p-4f, 0x1.1457a0p-4f};

}  // namespace wafersim::sim::numerics::approximation
