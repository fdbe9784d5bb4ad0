#include "sim/json_file.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "sim/error.h"

namespace wafersim::sim {
namespace {

std::string failure(const std::string& text) {
  try {
    parse_json(text, "file.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::config);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "";
}

TEST(JsonFile, RefusesADuplicateKey) {
  EXPECT_EQ(failure(R"({"a": 1, "b": {"a": 2, "a": 3}})"), "file.json: key \"a\" is given twice in one object");
  EXPECT_EQ(failure(R"({"a": 1, "b": {"a": 2}, "c": {"a": 3}})"), "");
}

TEST(JsonFile, RefusesDeepNestingInsteadOfRecursing) {
  EXPECT_EQ(failure(std::string(1000000, '[')), "file.json: JSON nested deeper than 64 levels");
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  EXPECT_EQ(failure(objects), "file.json: JSON nested deeper than 64 levels");
}

TEST(JsonFile, SaysWhereTextIsNotJson) {
  EXPECT_NE(failure("{\"a\": 1,\n \"b\" 2}").find("file.json: not valid JSON: parse error at line 2"), std::string::npos);
  for (const char* text : {"", "{", "{} x", "{\"a\": nan}", "{\"a\": 1e999}", "{'a': 1}", "{\"a\": \"\xff\"}"})
    EXPECT_NE(failure(text), "") << text;
}

TEST(JsonFile, RefusesFilesThatAreMissingOrNotRegular) {
  EXPECT_THROW(read_json_file("/nonexistent/file.json"), Error);
  EXPECT_THROW(read_json_file("/"), Error);
  EXPECT_THROW(read_json_file("/dev/zero"), Error);
}

TEST(JsonFile, RefusesAFileLargerThanAnyConfigurationIs) {
  const auto path = std::filesystem::temp_directory_path() / ("wafersim_json_" + std::to_string(::getpid()));
  std::ofstream(path) << "{}";
  EXPECT_EQ(read_json_file(path), nlohmann::json::object());
  std::filesystem::resize_file(path, max_json_file_bytes + 1);
  EXPECT_THROW(read_json_file(path), Error);
  std::filesystem::remove(path);
}

TEST(Printable, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdef", 5), "abcde...");
  EXPECT_EQ(printable("ab\u20acd", 4), "ab...");
  EXPECT_EQ(printable("ab\u20acd", 5), "ab\u20ac...");
}

}  // namespace
}  // namespace wafersim::sim
