// Grouped queries: the columns of a group hold the group's keys and values once, in slices. Slice by slice they go around the lane's ring,
// and every head keeps those of its group; backward the heads' gradients of a slice are summed on the way to the column that holds it.
#include "workloads/kernels/kernels.h"
#include "workloads/kernels/work_area.h"

namespace wafersim::workloads {

using namespace models;
using sim::Dtype;

namespace {

struct Work {
  int slice;  // tile: rows of keys, then of values
  int sums;   // the same in fp32
  std::int64_t bytes;
};

Work work_of(const KernelBuilder& k, int slice_rows) {
  WorkArea area;
  Work w{};
  w.slice = area.part(std::int64_t{2} * slice_rows * k.tile_row_bytes(), 0);
  w.sums = area.part(std::int64_t{2} * slice_rows * k.vector_bytes(), 4);
  w.bytes = area.bytes();
  return w;
}

// Registers for the rows of a head's keys that the slice of column `owner` stands for.
struct SliceRows {
  int keys, rows;  // address of the first in a tile of qkv; how many
};

// body when the slice is of this column's keys.
template <class Body>
void when_used(KernelBuilder& k, const KeyShape& shape, int owner, int qkv, const SliceRows& r, Body&& body) {
  Assembler& a = k.a;
  const auto later = a.label(), skip = a.label();
  a.set(r.keys, reg(owner));
  a.sub_integer(r.keys, reg(k.word(word_first_slice)));
  a.branch_less(r.keys, imm(0), skip);
  a.branch_less(r.keys, imm(shape.group), later);
  a.jump(skip);
  a.bind(later);
  a.mul_integer(r.keys, imm(shape.slice_rows));
  a.set(r.rows, imm(shape.head_rows));
  a.sub_integer(r.rows, reg(r.keys));
  a.min_integer(r.rows, imm(shape.slice_rows));
  a.branch_less(r.rows, imm(1), skip);
  a.mul_integer(r.keys, imm(k.tile_row_bytes()));
  a.add_integer(r.keys, reg(qkv, shape.head_rows * k.tile_row_bytes()));
  body();
  a.bind(skip);
}

}  // namespace

std::int64_t share_keys_work_bytes(const KernelBuilder& k, const KeyShape& shape) { return work_of(k, shape.slice_rows).bytes; }

int emit_share_keys(KernelBuilder& k, const KeyShape& shape) {
  Assembler& a = k.a;
  const auto lane = KernelBuilder::Group::lane;
  const int task = k.begin("share_keys", {"x", "y", "work"}, {KernelBuilder::relay_ring_words(lane), {word_first_slice}});
  const Work w = work_of(k, shape.slice_rows);
  const Value slots = imm(k.slots()), rows = imm(2 * shape.slice_rows);
  const int row = k.tile_row_bytes(), x = k.arg("x"), y = k.arg("y"), work = k.arg("work");
  const int owner = k.fresh(), source = k.fresh();
  const SliceRows used{k.fresh(), k.fresh()};
  const Operand own = k.tile(reg(x, shape.head_rows * row)), received = k.tile(reg(work, w.slice));
  const Operand in = input(k.type(), in_row), out = output(k.type(), out_row);
  a.mov(k.tile(reg(y)), k.tile(reg(x)), slots, imm(shape.head_rows));
  k.bind_ring(lane);
  a.set(owner, imm(0));
  a.loop(imm(k.layout().columns), [&] {
    k.with_relay(
        lane, owner,
        [&] {
          a.mov(out, own, slots, rows);
          a.set(source, reg(x, shape.head_rows * row));
        },
        [&](bool forwards) {
          a.mov(received, in, slots, rows);
          if (forwards) a.mov(out, received, slots, rows);
          a.set(source, reg(work, w.slice));
        });
    when_used(k, shape, owner, y, used, [&] {
      a.mov(k.tile(reg(used.keys)), k.tile(reg(source)), slots, reg(used.rows));
      a.mov(k.tile(reg(used.keys, shape.head_rows * row)), k.tile(reg(source, shape.slice_rows * row)), slots, reg(used.rows));
    });
    a.add_integer(owner, imm(1));
  });
  k.end();
  return task;
}

int emit_share_keys_gradient(KernelBuilder& k, const KeyShape& shape) {
  Assembler& a = k.a;
  const auto lane = KernelBuilder::Group::lane;
  const int task = k.begin("share_keys_gradient", {"dy", "dx", "work"}, {KernelBuilder::ring_words(lane), {word_first_slice}});
  const Work w = work_of(k, shape.slice_rows);
  const Value slots = imm(k.slots()), rows = imm(2 * shape.slice_rows);
  const int row = k.tile_row_bytes(), dy = k.arg("dy"), dx = k.arg("dx"), work = k.arg("work");
  const int owner = k.fresh();
  const SliceRows used{k.fresh(), k.fresh()};
  const Operand part = k.tile(reg(work, w.slice)), sums = k.tile32(reg(work, w.sums));
  const Operand in = input(Dtype::f32, in_row), out = output(Dtype::f32, out_row);
  a.mov(k.tile(reg(dx)), k.tile(reg(dy)), slots, imm(shape.head_rows));
  k.bind_ring(lane);
  a.set(owner, imm(0));
  a.loop(imm(k.layout().columns), [&] {
    a.mov(part, constant(0.0f), slots, rows);
    when_used(k, shape, owner, dy, used, [&] {
      a.mov(part, k.tile(reg(used.keys)), slots, reg(used.rows));
      a.mov(k.tile(reg(work, w.slice + shape.slice_rows * row)), k.tile(reg(used.keys, shape.head_rows * row)), slots, reg(used.rows));
    });
    k.with_role(
        lane, owner, [&] { a.mov(out, part, slots, rows); }, [&] { a.add(out, part, in, slots, rows); },
        [&] {
          a.add(sums, part, in, slots, rows);
          a.mov(k.tile(reg(dx, shape.head_rows * row)), sums, slots, rows);
        });
    a.add_integer(owner, imm(1));
  });
  k.end();
  return task;
}

}  // namespace wafersim::workloads
