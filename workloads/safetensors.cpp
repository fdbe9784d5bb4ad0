#include "workloads/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>

#include "sim/atomic_file.h"
#include "sim/config/nearest.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "sim/numerics/storage.h"

namespace wafersim::workloads {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is read and written in place");

using nlohmann::json;

constexpr std::uint64_t longest_header = 16u << 20;  // bytes: some 100,000 tensors
constexpr std::uint64_t most_elements = std::uint64_t{1} << 48;

[[noreturn]] void fail(const std::string& source, const std::string& what) {
  throw sim::Error(sim::ErrorCategory::config, source + ": " + what);
}

std::string quoted(const std::string& name) { return "tensor \"" + sim::printable(name) + "\""; }

struct Entry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t elements = 1;
  std::uint64_t begin = 0;  // bytes from the start of the data
  std::uint64_t end = 0;
};

// Bytes of an element, 0 for a dtype that the format does not have.
std::uint64_t dtype_bytes(const std::string& dtype) {
  static const std::map<std::string, std::uint64_t> known = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1},
                                                             {"U16", 2},  {"I16", 2}, {"F16", 2}, {"BF16", 2},    {"U32", 4},
                                                             {"I32", 4},  {"F32", 4}, {"U64", 8}, {"I64", 8},     {"F64", 8}};
  const auto at = known.find(dtype);
  return at == known.end() ? 0 : at->second;
}

// "h.3.attn.bias", "gpt_neox.layers.3.attention.masked_bias", "model.layers.3.self_attn.rotary_emb.inv_freq": buffers of the causal mask
// and of rotations, not weights.
bool is_buffer(std::string_view name) {
  if (name.ends_with(".rotary_emb.inv_freq")) return true;
  for (const std::string_view prefix : {"transformer.", "gpt_neox."})
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  for (const std::string_view layer : {"h.", "layers."}) {
    if (!name.starts_with(layer)) continue;
    name.remove_prefix(layer.size());
    const auto digits = std::min(name.find_first_not_of("0123456789"), name.size());
    name.remove_prefix(digits);
    return digits > 0 &&
           (name == ".attn.bias" || name == ".attn.masked_bias" || name == ".attention.bias" || name == ".attention.masked_bias");
  }
  return false;
}

bool is_count(const json& value) { return value.is_number_unsigned(); }

Entry read_entry(const std::string& name, const json& value, const std::string& source) {
  const std::string who = quoted(name);
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets")) {
    fail(source, who + ": expected exactly dtype, shape and data_offsets");
  }
  const json& shape = value["shape"];
  const json& offsets = value["data_offsets"];
  if (!value["dtype"].is_string() || dtype_bytes(value["dtype"].get<std::string>()) == 0) {
    fail(source, who + ": unknown dtype " + sim::printable_json(value["dtype"]) + "; F32 and F16 are read");
  }
  if (!shape.is_array() || !std::all_of(shape.begin(), shape.end(), is_count)) {
    fail(source, who + ": shape " + sim::printable_json(shape) + " is not an array of sizes");
  }
  if (!offsets.is_array() || offsets.size() != 2 || !is_count(offsets[0]) || !is_count(offsets[1])) {
    fail(source, who + ": data_offsets " + sim::printable_json(offsets) + " are not two positions");
  }
  Entry entry{name, value["dtype"].get<std::string>(), {}, 1, offsets[0].get<std::uint64_t>(), offsets[1].get<std::uint64_t>()};
  for (const json& extent : shape) {
    const auto size = extent.get<std::uint64_t>();
    if (size > most_elements || (size != 0 && entry.elements > most_elements / size)) {
      fail(source, who + ": shape " + sim::printable_json(shape) + " is absurdly large");
    }
    entry.elements *= size;
    entry.shape.push_back(static_cast<std::int64_t>(size));
  }
  const std::uint64_t bytes = entry.elements * dtype_bytes(entry.dtype);
  if (entry.begin > entry.end || entry.end - entry.begin != bytes) {
    fail(source, fmt::format("{}: data_offsets {} do not hold the {} bytes of shape {} in {}", who, sim::printable_json(offsets), bytes,
                             sim::printable_json(shape), entry.dtype));
  }
  return entry;
}

// Entries sorted by position, which must tile the data exactly.
std::vector<Entry> read_header(const std::string& text, std::uint64_t data_bytes, const std::string& source) {
  if (text.empty() || text.front() != '{') fail(source, "header does not begin with '{': not a safetensors file");
  const json header = sim::parse_json(text, source + ": header");
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      entries.push_back(read_entry(name, value, source));
    } else if (!value.is_object() || !std::all_of(value.begin(), value.end(), [](const json& v) { return v.is_string(); })) {
      fail(source, "__metadata__ is not an object of texts");
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
  std::uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin < at) fail(source, fmt::format("{}: overlaps the tensor before it at byte {}", quoted(entry.name), entry.begin));
    if (entry.begin > at) fail(source, fmt::format("{}: a hole of {} bytes lies before it", quoted(entry.name), entry.begin - at));
    if (entry.end > data_bytes) {
      fail(source, fmt::format("{}: ends at byte {} of {} bytes of data: truncated file", quoted(entry.name), entry.end, data_bytes));
    }
    at = entry.end;
  }
  if (at != data_bytes) fail(source, fmt::format("{} bytes of data belong to no tensor", data_bytes - at));
  return entries;
}

NamedTensor read_values(std::istream& stream, const Entry& entry, const std::string& source) {
  NamedTensor out{entry.name, entry.shape, std::vector<float>(entry.elements)};
  if (entry.dtype == "F32") {
    stream.read(reinterpret_cast<char*>(out.values.data()), static_cast<std::streamsize>(entry.elements * sizeof(float)));
  } else if (entry.dtype == "F16" || entry.dtype == "BF16") {
    std::vector<std::uint16_t> halves(entry.elements);
    stream.read(reinterpret_cast<char*>(halves.data()), static_cast<std::streamsize>(entry.elements * sizeof(std::uint16_t)));
    sim::numerics::from_16_bits(entry.dtype == "F16" ? sim::Dtype::f16 : sim::Dtype::bf16, out.values.data(), halves.data(),
                                entry.elements);
  } else {
    fail(source, fmt::format("{}: dtype {} is not supported; F32, F16 and BF16 are", quoted(entry.name), entry.dtype));
  }
  if (!stream) fail(source, quoted(entry.name) + ": cannot be read");
  const auto bad = std::find_if(out.values.begin(), out.values.end(), [](float v) { return !std::isfinite(v); });
  if (bad != out.values.end()) fail(source, fmt::format("{}: element {} is not finite", quoted(entry.name), bad - out.values.begin()));
  return out;
}

}  // namespace

std::vector<NamedTensor> parse_safetensors(std::istream& stream, std::uint64_t size, const std::string& source) {
  std::uint64_t length = 0;
  if (size < sizeof(length) || !stream.read(reinterpret_cast<char*>(&length), sizeof(length)))
    fail(source, "shorter than a safetensors file can be");
  if (length > size - sizeof(length)) {
    fail(source, fmt::format("header of {} bytes is longer than the file of {}: truncated or not safetensors", length, size));
  }
  if (length > longest_header) fail(source, fmt::format("header of {} bytes; at most {} are read", length, longest_header));
  std::string text(length, '\0');
  if (!stream.read(text.data(), static_cast<std::streamsize>(length))) fail(source, "header cannot be read");
  std::vector<NamedTensor> out;
  for (const Entry& entry : read_header(text, size - sizeof(length) - length, source)) {
    if (is_buffer(entry.name)) {
      stream.seekg(static_cast<std::streamoff>(entry.end - entry.begin), std::ios::cur);
    } else {
      out.push_back(read_values(stream, entry, source));
    }
  }
  return out;
}

std::vector<NamedTensor> read_safetensors(const std::filesystem::path& path) {
  const std::string source = path.string();
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code)) fail(source, "no such file");
  const auto size = std::filesystem::file_size(path, code);
  std::ifstream file(path, std::ios::binary);
  if (code || !file) fail(source, "cannot be read");
  return parse_safetensors(file, size, source);
}

namespace {

// The tensor of the model that one of this name repeats; null: none.
const NamedTensor* repeated(const std::string& name, const std::vector<NamedTensor>& model) {
  if (name == "lm_head.weight" || name == "embed_out.weight" || name == "cls.predictions.decoder.weight") return &model.front();
  const auto bias = std::find_if(model.begin(), model.end(), [](const NamedTensor& t) { return t.name == "cls.predictions.bias"; });
  return name == "cls.predictions.decoder.bias" && bias != model.end() ? &*bias : nullptr;
}

}  // namespace

std::vector<NamedTensor> select_tensors(std::vector<NamedTensor> tensors, const memoryx::ParameterTable& expected,
                                        const std::string& source) {
  const std::string prefix = "transformer.";
  std::map<std::string, NamedTensor> by_name;
  for (NamedTensor& tensor : tensors) {
    const bool prefixed = tensor.name.starts_with(prefix) && expected.find(tensor.name) < 0;
    const std::string plain = prefixed ? tensor.name.substr(prefix.size()) : tensor.name;
    if (!by_name.emplace(plain, std::move(tensor)).second) fail(source, quoted(plain) + ": given with and without \"" + prefix + "\"");
  }
  std::vector<std::string> names;
  std::vector<NamedTensor> out;
  for (const memoryx::ParameterEntry& want : expected.entries()) {
    names.push_back(want.name);
    const auto found = by_name.find(want.name);
    if (found == by_name.end()) fail(source, quoted(want.name) + ": missing; the model needs it");
    if (!std::equal(found->second.shape.begin(), found->second.shape.end(), want.shape.begin(), want.shape.end())) {
      fail(source, fmt::format("{}: shape [{}], the model needs [{}]", quoted(want.name), fmt::join(found->second.shape, ", "),
                               fmt::join(want.shape, ", ")));
    }
    out.push_back(std::move(found->second));
    out.back().name = want.name;
    by_name.erase(found);
  }
  for (const auto& [name, tensor] : by_name) {
    if (const NamedTensor* same = repeated(name, out); same != nullptr) {
      if (same->shape == tensor.shape && same->values == tensor.values) continue;
      fail(source, fmt::format("{}: differs from {} although tie_word_embeddings is true", quoted(name), same->name));
    }
    const std::string guess = sim::nearest(name, names);
    fail(source, quoted(name) + ": the model has no such tensor" + (guess.empty() ? "" : "; nearest is " + guess));
  }
  return out;
}

void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors) {
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};  // transformers refuses a file without it
  std::uint64_t at = 0;
  for (const NamedTensor& tensor : tensors) {
    const std::uint64_t end = at + tensor.values.size() * sizeof(float);
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  sim::AtomicFile file(path);
  file.write(&length, sizeof(length));
  file.write(text);
  for (const NamedTensor& tensor : tensors) file.write(tensor.values.data(), tensor.values.size() * sizeof(float));
  file.commit();
}

}  // namespace wafersim::workloads
