#include <gtest/gtest.h>

#include "sim/config/tree.h"
#include "sim/error.h"
#include "sim/json_file.h"

namespace wafersim::sim {
namespace {

ConfigTree tree(const std::string& text) { return ConfigTree(parse_json(text, "run.json"), "run.json", "/home"); }

std::string failure(const std::string& text) {
  try {
    tree(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::config);
    return error.what();
  }
  return "";
}

int integer_at(const ConfigTree& config, const std::string& key) {
  const ConfigLeaf* leaf = config.find(key);
  return leaf == nullptr ? -1 : leaf->value.get<int>();
}

TEST(ConfigTree, HoldsDottedAndNestedKeysAsTheSameThing) {
  const ConfigTree config = tree(R"({"a": {"b.c": 1, "d": 2}, "a.e": 3, "f": {}})");
  EXPECT_EQ(integer_at(config, "a.b.c"), 1);
  EXPECT_EQ(integer_at(config, "a.d"), 2);
  EXPECT_EQ(integer_at(config, "a.e"), 3);
  EXPECT_EQ(config.leaves().size(), 4u);
}

TEST(ConfigTree, RefusesAKeyGivenTwiceInTwoSpellings) {
  EXPECT_EQ(failure(R"({"a": {"b": 1}, "a.b": 2})"), "run.json: a.b = 1: is given twice");
  EXPECT_EQ(failure(R"({"a": 1, "a.b": 2})"), "run.json: a = 1: is given both as a value and as an object");
  EXPECT_EQ(failure(R"({"a.b": {"c": 2}, "a": {"b": 1}})"), "run.json: a.b = 1: is given both as a value and as an object");
}

TEST(ConfigTree, RefusesKeysWithEmptyPartsAndRootsThatAreNoObjects) {
  for (const char* text : {R"({"": 1})", R"({"a.": 1})", R"({".a": 1})", R"({"a..b": 1})", R"({"a": {"": 1}})"}) {
    EXPECT_NE(failure(text).find("has an empty part"), std::string::npos) << text;
  }
  EXPECT_EQ(failure("[1]"), "run.json: expected a JSON object, found [1]");
}

TEST(ConfigTree, RefusesAKeyOfTooManyParts) {
  std::string key = "a";
  for (int i = 0; i < max_json_depth; ++i) key += ".a";
  EXPECT_NE(failure("{\"" + key + "\": 1}").find("has too many parts"), std::string::npos);
}

TEST(ConfigTree, LetsAnOverrideReplaceValuesAndMergeObjects) {
  ConfigTree config = tree(R"({"a": {"b": 1, "c": 2}, "d": 3, "e": {"f": 4}})");
  config.set(parse_override("a={\"b\": 10, \"x\": 11}"), "/work");
  config.set(parse_override("d.y=12"), "/work");
  config.set(parse_override("e=text with = and spaces"), "/work");
  EXPECT_EQ(integer_at(config, "a.b"), 10);
  EXPECT_EQ(integer_at(config, "a.c"), 2);
  EXPECT_EQ(integer_at(config, "a.x"), 11);
  EXPECT_EQ(config.find("d"), nullptr);
  EXPECT_EQ(integer_at(config, "d.y"), 12);
  EXPECT_EQ(config.find("e")->value, "text with = and spaces");
  EXPECT_FALSE(config.has_below("e"));
  EXPECT_EQ(config.message("a.b", "wrong"), "--set a={\"b\": 10, \"x\": 11}: a.b = 10: wrong");
  EXPECT_EQ(config.message("a.c", "wrong"), "run.json: a.c = 2: wrong");
  EXPECT_EQ(config.message("a.z", "wrong"), "run.json: a.z: wrong");
}

TEST(ConfigTree, LetsTheLastOfTwoOverridesWin) {
  ConfigTree config = tree("{}");
  config.set(parse_override("a.b=1"), "/");
  config.set(parse_override("a={\"b\": 2}"), "/");
  EXPECT_EQ(integer_at(config, "a.b"), 2);
}

TEST(ConfigTree, PrintsFullKeysInAPartAndAfterOverlay) {
  const ConfigTree part = tree(R"({"model": {"config": {"n_layer": 2}}})").below("model.config");
  EXPECT_EQ(part.message("n_layer", "wrong"), "run.json: model.config.n_layer = 2: wrong");
  EXPECT_EQ(part.message("n_embd", "missing"), "run.json: model.config.n_embd: missing");
  ConfigTree base = tree(R"({"n_layer": 1, "n_head": 3})");
  base.overlay(part);
  EXPECT_EQ(integer_at(base, "n_layer"), 2);
  EXPECT_EQ(integer_at(base, "n_head"), 3);
  EXPECT_EQ(base.message("n_layer", "wrong"), "run.json: model.config.n_layer = 2: wrong");
}

TEST(ConfigTree, RefusesOverridesThatAreNotKeyAndValue) {
  EXPECT_THROW(parse_override("training.steps"), Error);
  EXPECT_THROW(parse_override("=5"), Error);
  ConfigTree config = tree("{}");
  EXPECT_THROW(config.set(parse_override("a..b=5"), "/"), Error);
  EXPECT_THROW(config.set(parse_override("a=\xff"), "/"), Error);
}

}  // namespace
}  // namespace wafersim::sim
