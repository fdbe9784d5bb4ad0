// Rotation of queries and keys by their positions. Partners are neighbouring rows of a PE's tile, so nothing moves; sines and cosines are
// computed anew for every pair. The gradient turns back.
#include "workloads/kernels/kernels.h"
#include "workloads/kernels/work_vectors.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

namespace {

constexpr int vectors = 5;

}  // namespace

std::int64_t rotary_work_bytes(const KernelBuilder& k) { return work_vectors(k, vectors).bytes; }

int emit_rotary(KernelBuilder& k, int head_rows, const RotaryTables& tables) {
  Assembler& a = k.a;
  const int task = k.begin("rotary", {"qkv", "y", "back", "work"}, {{word_head_pairs}});
  const Value slots = imm(k.slots());
  const int x = k.fresh(), y = k.fresh(), frequency = k.fresh(), work = k.arg("work"), row = k.tile_row_bytes();
  const WorkVectors area = work_vectors(k, vectors);
  const auto at = [&](std::size_t n) { return k.vector(reg(work, area.offsets[n])); };
  const Operand positions = at(0), cosine = at(1), turned = at(2), sine = at(3), other = at(4);
  a.mov(k.tile(reg(k.arg("y"))), k.tile(reg(k.arg("qkv"))), slots, imm(3 * head_rows));
  a.add(positions, k.vector(imm(tables.slot_positions)), memory_scalar(Dtype::f32, imm(tables.row_position)), slots);
  a.set(x, reg(k.arg("qkv")));
  a.set(y, reg(k.arg("y")));
  a.set(frequency, imm(tables.frequencies));
  a.loop(reg(k.word(word_head_pairs)), [&] {
    a.mul(sine, positions, memory_scalar(Dtype::f32, reg(frequency)), slots);
    a.unary(Opcode::cos, cosine, sine, slots);
    a.unary(Opcode::sin, sine, sine, slots);
    a.unary(Opcode::neg, sine, sine, slots, reg(k.arg("back")));
    for (const int first : {0, head_rows * row}) {  // of queries, of keys
      const Operand one = k.row(reg(x, first)), partner = k.row(reg(x, first + row));
      a.mul(turned, one, cosine, slots);
      a.mul(other, partner, sine, slots);
      a.sub(turned, turned, other, slots);
      a.mul(other, one, sine, slots);  // before y, which may be where x is
      a.mov(k.row(reg(y, first)), turned, slots);
      a.mul(turned, partner, cosine, slots);
      a.add(turned, turned, other, slots);
      a.mov(k.row(reg(y, first + row)), turned, slots);
    }
    a.add_integer(x, imm(2 * row));
    a.add_integer(y, imm(2 * row));
    a.add_integer(frequency, imm(4));
  });
  k.end();
  return task;
}

}  // namespace wafersim::workloads
