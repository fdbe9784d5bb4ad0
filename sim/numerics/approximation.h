#pragma once
// Constants of the elementary functions, shared by the scalar definition and, for exp and tanh, its vector form. Polynomials are minimax
// (Remez) fits rounded to fp32, evaluated by Horner's rule; those of exp, log and tanh with separate multiplications and additions: no fma,
// so hosts without one are as fast and give the same bits. erf, sin and cos are fused.

#include <cstdint>

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

// erf(x) = x + x p(x^2) for |x| <= erf_split; else 1 - exp(-|x| + |x| p(|x|)).
inline constexpr float erf_split = 0.927734375f;
inline constexpr float erf_max = 10.0f;  // erf is 1 well before it
inline constexpr float erf_small[6] = {0x1.06eba8p-3f, -0x1.812700p-2f, 0x1.ce1c44p-4f, -0x1.b691b2p-6f, 0x1.471a58p-8f, -0x1.38e000p-11f};
inline constexpr float erf_large[7] = {-0x1.079d0cp-3f, -0x1.450aa0p-1f, -0x1.b55cb8p-4f, 0x1.8d6342p-6f,
                                       -0x1.fd1438p-9f, 0x1.91cfb2p-12f, -0x1.220000p-16f};

// x = k pi/2 + r with |r| <= pi/4, pi/2 in three parts: k * part is exact in a fused multiply-add for |x| up to reduce_max.
// Above it x * 2/pi is multiplied out with the bits of 2/pi, 2.62 fixed point.
inline constexpr float two_over_pi = 0x1.45f306p-1f;
inline constexpr float half_pi[3] = {0x1.921fb0p+0f, 0x1.5110b4p-22f, 0x1.846988p-48f};
inline constexpr float reduce_max = 65536.0f;
inline constexpr std::uint32_t two_over_pi_bits[7] = {0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u,
                                                      0x36d8a566u, 0x4f10e410u, 0x7f9458eau};
// sin(r) = r + r^3 p(r^2), cos(r) = 1 + r^2 p(r^2)
inline constexpr float sin_p[4] = {-0x1.555556p-3f, 0x1.111090p-7f, -0x1.a0176cp-13f, 0x1.80a000p-19f};
inline constexpr float cos_p[4] = {-0x1.000000p-1f, 0x1.555550p-5f, -0x1.6c0efap-10f, 0x1.9a8000p-16f};

// log(1 + f) = f - f^2 / 2 + f^3 p(f) for sqrt(1/2) <= 1 + f < sqrt(2), relative error 2^-30.3.
inline constexpr float log_p[9] = {0x1.555548p-2f,  -0x1.000006p-2f, 0x1.99a4b6p-3f,  -0x1.555c4ep-3f, 0x1.233768p-3f,
                                   -0x1.fc220ap-4f, 0x1.e6f06cp-4f,  -0x1.de3c12p-4f, 0x1.1457a0p-4f};

}  // namespace wafersim::sim::numerics::approximation
