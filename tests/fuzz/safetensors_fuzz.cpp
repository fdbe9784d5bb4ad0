// Input: a safetensors file. Nothing but sim::Error may come out, its message on one line; what is accepted holds as many values as its
// shapes say and no more than the input has room for.

#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string_view>

#include "sim/error.h"
#include "tests/fuzz/driver.h"
#include "workloads/model_shape.h"
#include "workloads/safetensors.h"

namespace {

using namespace wafersim;

std::string file_with(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header + data;
}

void check_sizes(const std::vector<workloads::NamedTensor>& tensors, std::size_t input_bytes) {
  std::size_t values = 0;
  for (const auto& tensor : tensors) {
    std::uint64_t count = 1;
    for (const auto extent : tensor.shape) count *= static_cast<std::uint64_t>(extent);
    if (count != tensor.values.size()) std::abort();
    values += tensor.values.size();
  }
  if (values * 2 > input_bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  // Lengths that fit reach the header's parser: where the first byte is '=', the length is set right for the '}' that closes the header.
  const auto close = bytes.rfind('}');
  if (size > 8 && bytes[0] == '=' && close != std::string::npos && close >= 8) {
    const std::uint64_t length = close + 1 - 8;
    std::memcpy(bytes.data(), &length, sizeof(length));
  }
  workloads::ModelShape shape;
  shape.vocabulary = shape.positions = shape.width = shape.layers = shape.heads = shape.inner = 1;
  try {
    std::istringstream stream(bytes);
    auto tensors = workloads::parse_safetensors(stream, size, "fuzz.safetensors");
    check_sizes(tensors, size);
    workloads::select_tensors(std::move(tensors), workloads::parameter_table(shape), "fuzz.safetensors");
  } catch (const sim::Error& error) {
    const std::string_view message = error.what();
    if (message.empty() || message.find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}

namespace wafersim::fuzz {

std::vector<std::string> seeds() {
  const std::string two =
      R"({"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"transformer.h.0.attn.bias":{"dtype":"BOOL","shape":[4],"data_offsets":[8,12]},)"
      R"("b":{"dtype":"F16","shape":[2],"data_offsets":[12,16]},"__metadata__":{"format":"pt"}})";
  std::string model = "{";
  std::size_t at = 0;
  workloads::ModelShape shape;
  shape.vocabulary = shape.positions = shape.width = shape.layers = shape.heads = shape.inner = 1;
  const memoryx::ParameterTable table = workloads::parameter_table(shape);
  for (const auto& entry : table.entries()) {
    const std::string extents =
        entry.shape.size() == 2 ? std::to_string(entry.shape[0]) + "," + std::to_string(entry.shape[1]) : std::to_string(entry.shape[0]);
    if (at > 0) model += ",";
    model += "\"" + entry.name + "\":{\"dtype\":\"F32\",\"shape\":[" + extents + "],\"data_offsets\":[" + std::to_string(at) + ",";
    at += entry.size * sizeof(float);
    model += std::to_string(at) + "]}";
  }
  model += "}";
  std::vector<std::string> out = {file_with(two, std::string(16, '\x3c')), file_with(model, std::string(at, '\x3d')), file_with("{}", "")};
  for (std::size_t i = 0; i < 2; ++i) {
    out.push_back(out[i]);
    out.back()[0] = '=';
  }
  return out;
}

std::vector<std::string> words() {
  return {"{",
          "}",
          "[",
          "]",
          "\"",
          ":",
          ",",
          "-1",
          "0",
          "4",
          "8",
          "16",
          "18446744073709551615",
          "9223372036854775808",
          "281474976710656",
          "4294967296",
          "1e3",
          "1.5",
          "null",
          "[]",
          "{}",
          "F32",
          "F16",
          "BF16",
          "F64",
          "BOOL",
          "dtype",
          "shape",
          "data_offsets",
          "__metadata__",
          "transformer.",
          "h.0.attn.bias",
          "lm_head.weight",
          "[[[[[[[[",
          std::string(8, '\0'),
          "\xff\xff\xff\xff\xff\xff\xff\x7f",
          "\n"};
}

}  // namespace wafersim::fuzz
