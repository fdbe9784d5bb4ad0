#include "sim/numerics/vector_ops.h"

#include <atomic>
#include <string>

#include "sim/error.h"
#include "sim/numerics/vector_table.h"

namespace wafersim::sim::numerics {

namespace {

struct Targets {
  std::vector<const VectorTable*> tables = supported_tables();
  std::vector<const char*> names;

  Targets() {
    for (const VectorTable* table : tables) names.push_back(table->target);
  }
};

const Targets& targets() {
  static const Targets found;
  return found;
}

// The table in use: null until the first call, then the best the host can run unless a test has forced another.
constinit std::atomic<const VectorTable*> active{nullptr};

const VectorTable& resolve() {
  const VectorTable* best = targets().tables.front();
  active.store(best, std::memory_order_relaxed);  // the tables are constants: no other memory is published with the pointer
  return *best;
}

inline const VectorTable& current() {
  const VectorTable* table = active.load(std::memory_order_relaxed);
  return table != nullptr ? *table : resolve();
}

}  // namespace

const VectorTable& vector_table() { return current(); }

void add(float* out, const float* a, const float* b, std::size_t n) { current().add(out, a, b, n); }
void sub(float* out, const float* a, const float* b, std::size_t n) { current().sub(out, a, b, n); }
void mul(float* out, const float* a, const float* b, std::size_t n) { current().mul(out, a, b, n); }
void add_scalar(float* out, const float* a, float s, std::size_t n) { current().add_scalar(out, a, s, n); }
void mul_scalar(float* out, const float* a, float s, std::size_t n) { current().mul_scalar(out, a, s, n); }
void max(float* out, const float* a, const float* b, std::size_t n) { current().max(out, a, b, n); }
void fma_scalar(float* acc, const float* x, float s, std::size_t n) { current().fma_scalar(acc, x, s, n); }
void fma_scalar_half(float* acc, const std::uint16_t* x, float s, std::size_t n) { current().fma_scalar_half(acc, x, s, n); }
void fma_scalar_bfloat(float* acc, const std::uint16_t* x, float s, std::size_t n) { current().fma_scalar_bfloat(acc, x, s, n); }
void fma_vector(float* acc, const float* x, const float* y, std::size_t n) { current().fma_vector(acc, x, y, n); }
void exp(float* out, const float* a, std::size_t n) { current().exp(out, a, n); }
void tanh(float* out, const float* a, std::size_t n) { current().tanh(out, a, n); }
void erf(float* out, const float* a, std::size_t n) { current().erf(out, a, n); }
void to_half(std::uint16_t* out, const float* a, std::size_t n) { current().to_half(out, a, n); }
void from_half(float* out, const std::uint16_t* a, std::size_t n) { current().from_half(out, a, n); }
void to_bfloat(std::uint16_t* out, const float* a, std::size_t n) { current().to_bfloat(out, a, n); }
void from_bfloat(float* out, const std::uint16_t* a, std::size_t n) { current().from_bfloat(out, a, n); }
void ring_dot(float* out, const float* x, const float* y, std::size_t stride, std::size_t groups, std::size_t depth, std::size_t first,
              std::size_t n) {
  current().ring_dot(out, x, y, stride, groups, depth, first, n);
}
void fma_rows(float* acc, const float* x, const float* s, std::size_t stride, std::size_t rows, std::size_t n) {
  current().fma_rows(acc, x, s, stride, rows, n);
}
void mul_rows(float* acc, const float* s, std::size_t stride, std::size_t rows, std::size_t n) {
  current().mul_rows(acc, s, stride, rows, n);
}

std::span<const char* const> available_targets() { return targets().names; }

void force_target(const char* name) {
  const std::string wanted = name;
  if (wanted.empty()) {
    resolve();
    return;
  }
  std::string known;
  for (const VectorTable* table : targets().tables) {
    if (wanted == table->target) {
      active.store(table, std::memory_order_relaxed);
      return;
    }
    known += std::string(known.empty() ? "" : ", ") + table->target;
  }
  throw Error(ErrorCategory::unsupported, "SIMD target \"" + wanted + "\" is not one that this host can run; choose among " + known);
}

}  // namespace wafersim::sim::numerics
