#include "workloads/safetensors.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <sstream>
#include <unistd.h>

#include "sim/error.h"
#include "workloads/model_shape.h"

namespace wafersim::workloads {
namespace {

std::string file_with(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header + data;
}

std::string floats(const std::vector<float>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

std::vector<NamedTensor> parse(const std::string& bytes) {
  std::istringstream stream(bytes);
  return parse_safetensors(stream, bytes.size(), "w.safetensors");
}

std::string failure(const std::string& bytes) {
  try {
    parse(bytes);
  } catch (const sim::Error& error) {
    EXPECT_EQ(error.category(), sim::ErrorCategory::config);
    return error.what();
  }
  return "";
}

bool refuses(const std::string& header, const std::string& data, const std::string& why) {
  const std::string message = failure(file_with(header, data));
  if (message.starts_with("w.safetensors: ") && message.find(why) != std::string::npos) return true;
  ADD_FAILURE() << header << " gives " << message;
  return false;
}

TEST(Safetensors, ReadsF32F16AndBF16) {
  const std::string header =
      R"({"__metadata__": {"format": "pt"}, "b": {"dtype": "F16", "shape": [3], "data_offsets": [8, 14]}, "a": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}, "c": {"dtype": "BF16", "shape": [2], "data_offsets": [14, 18]}}  )";
  const std::string halves("\x00\x3c\x00\xc0\x01\x00", 6);  // 1, -2, the least subnormal
  const std::string bfloats("\x80\x3f\x01\x80", 4);         // 1, minus the least subnormal
  const auto tensors = parse(file_with(header, floats({1.5f, -2.25f}) + halves + bfloats));
  ASSERT_EQ(tensors.size(), 3u);
  EXPECT_EQ(tensors[0].name, "a");
  EXPECT_EQ(tensors[0].shape, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(tensors[0].values, (std::vector<float>{1.5f, -2.25f}));
  EXPECT_EQ(tensors[1].values, (std::vector<float>{1.0f, -2.0f, 0x1p-24f}));
  EXPECT_EQ(tensors[2].values, (std::vector<float>{1.0f, -0x1p-133f}));
}

TEST(Safetensors, RejectsAHeaderLongerThanTheFile) {
  std::string bytes = file_with("{}", "");
  for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{1} << 40, std::numeric_limits<std::uint64_t>::max()}) {
    std::memcpy(bytes.data(), &length, sizeof(length));
    EXPECT_NE(failure(bytes).find("is longer than the file"), std::string::npos);
  }
  EXPECT_NE(failure("1234567"), "");
  EXPECT_NE(failure(""), "");
}

TEST(Safetensors, RejectsAHeaderThatIsHugeOrDeepOrNoObject) {
  EXPECT_NE(failure(file_with("{" + std::string((16u << 20) + 1, ' ') + "}", "")).find("at most 16777216 are read"), std::string::npos);
  refuses("{\"a\":" + std::string(1000000, '['), "", "nested deeper");
  refuses("[]", "", "does not begin with '{'");
  refuses("{\"a\": 1", "", "not valid JSON");
  refuses("", "", "does not begin with '{'");
}

TEST(Safetensors, RejectsOffsetsThatOverlapLeaveHolesOrLeaveTheFile) {
  const auto header = [](const char* a, const char* b) {
    return std::string(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": )") + a +
           R"(}, "b": {"dtype": "F32", "shape": [2], "data_offsets": )" + b + "}}";
  };
  const std::string data(16, '\0');
  EXPECT_EQ(failure(file_with(header("[8, 16]", "[0, 8]"), data)), "") << "names need not be in the order of the data";
  refuses(header("[0, 8]", "[4, 12]"), data, "overlaps");
  refuses(header("[0, 8]", "[0, 8]"), data, "overlaps");
  refuses(header("[0, 8]", "[9, 17]"), data, "a hole of 1 bytes");
  refuses(header("[0, 8]", "[8, 16]"), data.substr(1), "truncated file");
  refuses(header("[0, 8]", "[8, 16]"), data + "x", "belong to no tensor");
  refuses(header("[8, 0]", "[8, 16]"), data, "do not hold the 8 bytes");
  refuses(header("[0, 18446744073709551615]", "[8, 16]"), data, "do not hold");
  refuses(header("[-8, 0]", "[8, 16]"), data, "not two positions");
  refuses(header("[0, 8, 8]", "[8, 16]"), data, "not two positions");
}

TEST(Safetensors, RejectsWrongDtypesAndShapes) {
  const auto header = [](const char* dtype, const char* shape, const char* offsets) {
    return std::string("{\"a\": {\"dtype\": ") + dtype + ", \"shape\": " + shape + ", \"data_offsets\": " + offsets + "}}";
  };
  refuses(header("\"F31\"", "[1]", "[0, 4]"), "abcd", "unknown dtype \"F31\"");
  refuses(header("7", "[1]", "[0, 4]"), "abcd", "unknown dtype");
  refuses(header("\"I16\"", "[2]", "[0, 4]"), "abcd", "dtype I16 is not supported; F32, F16 and BF16 are");
  refuses(header("\"F32\"", "[2]", "[0, 4]"), "abcd", "do not hold the 8 bytes");
  refuses(header("\"F32\"", "[-1]", "[0, 4]"), "abcd", "is not an array of sizes");
  refuses(header("\"F32\"", "[1.0]", "[0, 4]"), "abcd", "is not an array of sizes");
  refuses(header("\"F32\"", "1", "[0, 4]"), "abcd", "is not an array of sizes");
  refuses(header("\"F32\"", "[4294967296, 4294967296, 4294967296]", "[0, 4]"), "abcd", "absurdly large");
  refuses(header("\"F32\"", "[281474976710656]", "[0, 1125899906842624]"), "abcd", "truncated file");
  refuses("{\"a\": 1}", "", "expected exactly dtype, shape and data_offsets");
  refuses("{\"a\": {\"dtype\": \"F32\", \"shape\": [0]}}", "", "expected exactly");
  refuses("{\"__metadata__\": {\"a\": 1}}", "", "__metadata__");
}

TEST(Safetensors, RejectsDuplicateNamesAndValuesThatAreNotFinite) {
  refuses(R"({"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}, "a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}})",
          "", "given twice");
  refuses(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})", floats({1.0f, std::numeric_limits<float>::infinity()}),
          "element 1 is not finite");
}

TEST(Safetensors, IgnoresMaskBuffersOfAnyDtypeAndNothingElse) {
  const auto header = [](const std::string& name) {
    return "{\"" + name +
           R"(": {"dtype": "BOOL", "shape": [1, 1, 2, 2], "data_offsets": [0, 4]}, "z": {"dtype": "F32", "shape": [], "data_offsets": [4, 8]}})";
  };
  for (const char* name : {"h.0.attn.bias", "transformer.h.11.attn.masked_bias"}) {
    const auto tensors = parse(file_with(header(name), std::string("\1\0\1\1", 4) + floats({3.0f})));
    ASSERT_EQ(tensors.size(), 1u) << name;
    EXPECT_EQ(tensors[0].values, (std::vector<float>{3.0f}));
  }
  for (const char* name : {"h.attn.bias", "h.0.attn.c_attn.bias", "h..attn.bias", "h.x.attn.bias"}) {
    EXPECT_NE(failure(file_with(header(name), std::string(8, '\0'))), "") << name;
  }
}

class SafetensorsModel : public testing::Test {
 protected:
  static memoryx::ParameterTable table(bool tied) {
    ModelShape shape;
    shape.vocabulary = 5;
    shape.positions = 3;
    shape.width = 4;
    shape.layers = 1;
    shape.heads = 2;
    shape.inner = 8;
    shape.tied = tied;
    return parameter_table(shape);
  }
  static std::vector<NamedTensor> tensors(const std::string& prefix, bool tied = true) {
    std::vector<NamedTensor> out;
    float next = 0.0f;
    const memoryx::ParameterTable model = table(tied);
    for (const auto& entry : model.entries()) {
      NamedTensor tensor;
      tensor.name = (entry.name == "lm_head.weight" ? "" : prefix) + entry.name;
      tensor.shape.assign(entry.shape.begin(), entry.shape.end());
      for (std::size_t i = 0; i < entry.size; ++i) tensor.values.push_back(next += 0.25f);
      out.push_back(tensor);
    }
    return out;
  }
  static std::string select_failure(std::vector<NamedTensor> given, bool tied = true) {
    try {
      select_tensors(std::move(given), table(tied), "w.safetensors");
    } catch (const sim::Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(SafetensorsModel, SurvivesTheWayToAFileAndBack) {
  const auto path = std::filesystem::temp_directory_path() / ("wafersim_weights_" + std::to_string(::getpid()) + ".safetensors");
  const auto written = tensors("");
  write_safetensors(path, written);
  const auto read = select_tensors(read_safetensors(path), table(true), "w");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_THROW(read_safetensors(path), sim::Error) << "truncated";
  std::filesystem::remove(path);
  EXPECT_THROW(read_safetensors(path), sim::Error) << "missing";
  ASSERT_EQ(read.size(), written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].name, written[i].name);
    EXPECT_EQ(read[i].shape, written[i].shape);
    EXPECT_EQ(read[i].values, written[i].values);
  }
}

TEST_F(SafetensorsModel, TakesNamesWithAndWithoutPrefixInAnyOrder) {
  auto given = tensors("transformer.", false);
  std::swap(given.front(), given.back());
  const auto selected = select_tensors(given, table(false), "w");
  EXPECT_EQ(selected.front().name, "wte.weight");
  EXPECT_EQ(selected.front().values.front(), 0.25f);
  EXPECT_EQ(selected.back().name, "lm_head.weight");
}

TEST_F(SafetensorsModel, RefusesMissingUnknownDoubledAndMisshapenTensors) {
  auto given = tensors("");
  given.pop_back();
  EXPECT_EQ(select_failure(given), "w.safetensors: tensor \"ln_f.bias\": missing; the model needs it");
  given = tensors("");
  given.push_back({"h.0.ln_3.bias", {4}, std::vector<float>(4)});
  EXPECT_EQ(select_failure(given), "w.safetensors: tensor \"h.0.ln_3.bias\": the model has no such tensor; nearest is h.0.ln_1.bias");
  given = tensors("");
  given.push_back({"transformer.ln_f.bias", {4}, std::vector<float>(4)});
  EXPECT_EQ(select_failure(given), "w.safetensors: tensor \"ln_f.bias\": given with and without \"transformer.\"");
  given = tensors("");
  given[0].shape = {4, 5};
  EXPECT_EQ(select_failure(given), "w.safetensors: tensor \"wte.weight\": shape [4, 5], the model needs [5, 4]");
  given[0].shape = {5, 4, 1};
  EXPECT_NE(select_failure(given), "");
}

TEST_F(SafetensorsModel, AcceptsAStoredTiedHeadOnlyWhereItEqualsTheEmbedding) {
  auto given = tensors("transformer.");
  given.push_back(given.front());
  given.back().name = "lm_head.weight";
  EXPECT_EQ(select_failure(given), "");
  given.back().values[0] += 1.0f;
  EXPECT_NE(select_failure(given).find("differs from wte.weight"), std::string::npos);
  given.back().name = "cls.predictions.decoder.bias";
  EXPECT_NE(select_failure(given).find("the model has no such tensor"), std::string::npos);
}

}  // namespace
}  // namespace wafersim::workloads
