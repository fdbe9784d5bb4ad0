#include "models/alu.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "sim/error.h"
#include "sim/numerics/storage.h"

namespace wafersim::models {
namespace {

namespace num = sim::numerics;
using sim::Dtype;

constexpr std::uint32_t chunk = 64;
using Buffer = std::array<float, chunk>;

// The elements k..k+count-1 of an operand as contiguous floats: in place when they are, else in the buffer.
const float* gather(const RowOperand& o, std::uint32_t k, std::uint32_t count, Buffer& buffer) {
  if (o.address == nullptr) {
    std::fill_n(buffer.begin(), count, o.value);
    return buffer.data();
  }
  const std::uint8_t* first = o.address + static_cast<std::ptrdiff_t>(k) * o.stride * sim::bytes_of(o.type);
  if (o.stride == 1 && o.type == Dtype::f32) return reinterpret_cast<const float*>(first);
  if (o.stride == 1 && sim::is_half(o.type)) {
    num::from_16_bits(o.type, buffer.data(), reinterpret_cast<const std::uint16_t*>(first), count);
    return buffer.data();
  }
  for (std::uint32_t i = 0; i < count; ++i)
    buffer[i] = load_element(first + static_cast<std::ptrdiff_t>(i) * o.stride * sim::bytes_of(o.type), o.type);
  return buffer.data();
}

void scatter(const RowOperand& o, std::uint32_t k, std::uint32_t count, const float* values) {
  std::uint8_t* first = o.address + static_cast<std::ptrdiff_t>(k) * o.stride * sim::bytes_of(o.type);
  if (o.stride == 1 && o.type == Dtype::f32) {
    if (reinterpret_cast<const float*>(first) != values) std::memcpy(first, values, count * sizeof(float));
  } else if (o.stride == 1 && sim::is_half(o.type)) {
    num::to_16_bits(o.type, reinterpret_cast<std::uint16_t*>(first), values, count);
  } else {
    for (std::uint32_t i = 0; i < count; ++i)
      store_element(first + static_cast<std::ptrdiff_t>(i) * o.stride * sim::bytes_of(o.type), o.type, values[i]);
  }
}

void compute(Opcode op, float* out, const float* a, const float* b, std::uint32_t n) {
  switch (op) {
    case Opcode::mov: std::copy_n(a, n, out); return;
    case Opcode::add: num::add(out, a, b, n); return;
    case Opcode::sub: num::sub(out, a, b, n); return;
    case Opcode::mul: num::mul(out, a, b, n); return;
    case Opcode::max: num::max(out, a, b, n); return;
    case Opcode::exp: num::exp(out, a, n); return;
    case Opcode::tanh: num::tanh(out, a, n); return;
    default:
      for (std::uint32_t i = 0; i < n; ++i) out[i] = execute_element(op, a[i], b ? b[i] : 0.0f);
  }
}

// fma into contiguous fp32 accumulators with one factor for the row: the inner loop of every linear layer.
bool fast_fma(const RowOperand& dst, const RowOperand& x, float factor, std::uint32_t n) {
  if (dst.type != Dtype::f32 || dst.stride != 1 || x.address == nullptr || x.stride != 1) return false;
  num::fma_scalar(x.type, reinterpret_cast<float*>(dst.address), x.address, factor, n);
  return true;
}

void fma_row(const RowOperand& dst, const RowOperand& a, const RowOperand& b, std::uint32_t n, bool from_zero) {
  if (dst.stride == 0) {  // one accumulator
    float acc = from_zero ? 0.0f : load_element(dst.address, dst.type);
    Buffer left, right;
    for (std::uint32_t k = 0; k < n; k += chunk) {
      const std::uint32_t count = std::min(chunk, n - k);
      const float* x = gather(a, k, count, left);
      const float* y = gather(b, k, count, right);
      for (std::uint32_t i = 0; i < count; ++i) acc = num::fma(x[i], y[i], acc);
    }
    store_element(dst.address, dst.type, acc);
    return;
  }
  if (from_zero) {
    for (std::uint32_t k = 0; k < n; ++k)
      store_element(dst.address + static_cast<std::ptrdiff_t>(k) * dst.stride * sim::bytes_of(dst.type), dst.type, 0.0f);
  }
  if (b.address == nullptr && fast_fma(dst, a, b.value, n)) return;
  if (a.address == nullptr && fast_fma(dst, b, a.value, n)) return;
  Buffer left, right, acc;
  for (std::uint32_t k = 0; k < n; k += chunk) {
    const std::uint32_t count = std::min(chunk, n - k);
    const float* d = gather(dst, k, count, acc);
    if (d != acc.data()) std::copy_n(d, count, acc.begin());
    num::fma_vector(acc.data(), gather(a, k, count, left), gather(b, k, count, right), count);
    scatter(dst, k, count, acc.data());
  }
}

void select_row(const RowOperand& dst, const RowOperand& a, const RowOperand& b, std::uint32_t n, std::uint32_t key) {
  for (std::uint32_t k = 0; k < n; ++k) {
    std::uint32_t id;
    std::memcpy(&id, a.address + static_cast<std::ptrdiff_t>(k) * a.stride * 4, 4);
    if (id != key) continue;
    const float value =
        b.address ? load_element(b.address + static_cast<std::ptrdiff_t>(k) * b.stride * sim::bytes_of(b.type), b.type) : b.value;
    store_element(dst.address + static_cast<std::ptrdiff_t>(k) * dst.stride * sim::bytes_of(dst.type), dst.type, value);
  }
}

}  // namespace

float load_element(const std::uint8_t* address, Dtype type) {
  if (sim::is_half(type)) {
    std::uint16_t half;
    std::memcpy(&half, address, 2);
    return num::from_16_bits(type, half);
  }
  float value;
  std::memcpy(&value, address, 4);
  return value;
}

void store_element(std::uint8_t* address, Dtype type, float value) {
  if (sim::is_half(type)) {
    const std::uint16_t half = num::to_16_bits(type, value);
    std::memcpy(address, &half, 2);
  } else {
    std::memcpy(address, &value, 4);
  }
}

float execute_element(Opcode op, float a, float b) {
  switch (op) {
    case Opcode::mov: return a;
    case Opcode::add: return num::add(a, b);
    case Opcode::sub: return num::sub(a, b);
    case Opcode::mul: return num::mul(a, b);
    case Opcode::max: return num::max(a, b);
    case Opcode::neg: return -a;
    case Opcode::exp: return num::exp(a);
    case Opcode::log: return num::log(a);
    case Opcode::tanh: return num::tanh(a);
    case Opcode::erf: return num::erf(a);
    case Opcode::sin: return num::sin(a);
    case Opcode::cos: return num::cos(a);
    case Opcode::rsqrt: return num::rsqrt(a);
    case Opcode::recip: return num::recip(a);
    default: throw sim::Error(sim::ErrorCategory::invariant, "not an element-wise opcode");
  }
}

void execute_row(Opcode op, const RowOperand& dst, const RowOperand& a, const RowOperand& b, std::uint32_t n, bool from_zero,
                 std::uint32_t key) {
  if (op == Opcode::fma) return fma_row(dst, a, b, n, from_zero);
  if (op == Opcode::select_equal) return select_row(dst, a, b, n, key);
  if (op == Opcode::mov && a.address && dst.type == a.type) {  // bits move unchanged
    const int size = sim::bytes_of(dst.type);
    for (std::uint32_t k = 0; k < n; ++k)
      std::memcpy(dst.address + static_cast<std::ptrdiff_t>(k) * dst.stride * size,
                  a.address + static_cast<std::ptrdiff_t>(k) * a.stride * size, static_cast<std::size_t>(size));
    return;
  }
  const bool binary = op == Opcode::add || op == Opcode::sub || op == Opcode::mul || op == Opcode::max;
  Buffer left, right, out;
  for (std::uint32_t k = 0; k < n; k += chunk) {
    const std::uint32_t count = std::min(chunk, n - k);
    const float* x = gather(a, k, count, left);
    const float* y = binary ? gather(b, k, count, right) : nullptr;
    compute(op, out.data(), x, y, count);
    scatter(dst, k, count, out.data());
  }
}

}  // namespace wafersim::models
