// A kernel of one's own on a simulated mesh: every PE multiplies two vectors of its own, and the products are added up along each row.
// usage: my_kernel     prints the cycles it takes; exit 1 when a sum is wrong.

#include <cstdio>

#include "models/assembler.h"
#include "models/mesh.h"

using namespace wafersim;
using namespace wafersim::models;
using fabric::east, fabric::mask, fabric::ramp, fabric::west;
using sim::Dtype;

namespace {

constexpr int width = 8, height = 3, words = 16;
constexpr int x_address = 8, y_address = x_address + 4 * words;

enum Class : std::uint8_t { first, odd, even, last };  // of PEs, which share a program

Program row_sum(Class pe_class) {
  const Operand x = memory(Dtype::f32, imm(x_address)), y = memory(Dtype::f32, imm(y_address));
  // Neighbours send on colors 0 and 1 in turn, so that a PE never takes in what it sends. The last column is odd, as the width is even.
  const int color = pe_class == first || pe_class == even ? 0 : 1;
  Assembler a;
  a.task(0, "row_sum");
  if (pe_class != first) a.bind_input(0, imm(1 - color));
  if (pe_class != last) a.bind_output(2, imm(color));
  a.mul(y, x, y, imm(words));
  if (pe_class != first) a.add(y, y, input(Dtype::f32, 0), imm(words));
  if (pe_class != last) a.mov(output(Dtype::f32, 2), y, imm(words));
  a.end_task();
  return a.finish();
}

WaferPlan row_sums() {
  WaferPlan plan;
  plan.width = width;
  plan.height = height;
  plan.routes = fabric::RouteMap(width, height);
  plan.start_task = 0;
  plan.sram.peak_bytes = y_address + 4 * words;
  for (const Class pe_class : {first, odd, even, last}) plan.programs.push_back(row_sum(pe_class));
  for (int r = 0; r < height; ++r)
    for (int c = 0; c < width; ++c) {
      plan.pe_class.push_back(c == 0 ? first : c + 1 == width ? last : c % 2 == 1 ? odd : even);
      if (c + 1 == width) continue;
      const auto color = static_cast<fabric::Color>(c % 2);
      plan.routes.add({c, r}, color, mask(ramp), mask(east));
      plan.routes.add({c + 1, r}, color, mask(west), mask(ramp));
    }
  return plan;
}

float x_of(int c, int r, int w) { return static_cast<float>(c + 10 * r + w); }
float y_of(int c, int w) { return static_cast<float>(c - w); }

}  // namespace

int main() {
  Mesh mesh(row_sums(), {}, {}, {});
  for (int r = 0; r < height; ++r)
    for (int c = 0; c < width; ++c)
      for (int w = 0; w < words; ++w) {
        mesh.write_float({c, r}, x_address, w, x_of(c, r, w));
        mesh.write_float({c, r}, y_address, w, y_of(c, w));
      }
  const auto cycles = mesh.driver().run(0);
  int wrong = mesh.driver().quiet() ? 0 : 1;
  for (int r = 0; r < height; ++r)
    for (int w = 0; w < words; ++w) {
      float sum = 0;
      for (int c = 0; c < width; ++c) sum += x_of(c, r, w) * y_of(c, w);
      if (mesh.read_float({width - 1, r}, y_address, w) != sum) ++wrong;
    }
  std::printf("{\"cycles\": %llu, \"wrong\": %d}\n", static_cast<unsigned long long>(cycles), wrong);
  return wrong == 0 ? 0 : 1;
}
