#pragma once
// Weights in the safetensors format: 8 bytes little-endian length N, N bytes of JSON {"name": {"dtype", "shape", "data_offsets": [begin,
// end]}}, then the data, which the tensors must tile without holes or overlaps. Read: F32 and F16, finite; written: F32. Whatever is wrong
// is an Error(config) naming file and tensor; memory never exceeds a small multiple of the file's size.

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "memoryx/parameter_table.h"

namespace wafersim::workloads {

struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;  // empty: a scalar
  std::vector<float> values;
};

// All tensors by name, in the order of their data, except buffers of causal masks (h.N.attn.bias, layers.N.attention.masked_bias) and
// of rotations, which may have any dtype. `size` is the length of the stream in bytes; `source` names it in messages.
std::vector<NamedTensor> parse_safetensors(std::istream& stream, std::uint64_t size, const std::string& source);
std::vector<NamedTensor> read_safetensors(const std::filesystem::path& path);

// The tensors of `expected`, in its order and under its names, whether or not the file puts "transformer." before them. A tensor that is
// missing, unknown, given twice or of another shape is an error; what transformers stores twice, such as an unembedding beside tied token
// rows, is accepted where both are equal.
std::vector<NamedTensor> select_tensors(std::vector<NamedTensor> tensors, const memoryx::ParameterTable& expected,
                                        const std::string& source);

// Appears whole or not at all; errors of category output.
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors);

}  // namespace wafersim::workloads
