#include <functional>
#include <gtest/gtest.h>

#include "sim/config/reader.h"
#include "sim/config/tree.h"
#include "sim/error.h"
#include "sim/json_file.h"

namespace wafersim::sim {
namespace {

ConfigTree tree(const std::string& text) { return ConfigTree(parse_json(text, "run.json"), "run.json", "/home/me"); }

std::string failure(const ConfigTree& config, const std::function<void(ConfigReader&)>& read) {
  ConfigReader reader(config);
  try {
    read(reader);
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::config);
    return error.what();
  }
  return "";
}

TEST(ConfigReader, ReadsTypedValuesAndDefaults) {
  const ConfigTree config =
      tree(R"({"n": 4, "whole": 1e3, "clock": "1.1 GHz", "bytes": "48 KiB", "plain": 5e8, "yes": true, "word": "b", "list": [1, 2]})");
  ConfigReader reader(config);
  EXPECT_EQ(reader.integer("n", {1, 10}), 4);
  EXPECT_EQ(reader.integer("whole", {1, 1e6}), 1000);
  EXPECT_EQ(reader.number("clock", {1, 1e12}, {}, Unit::hertz), 1.1e9);
  EXPECT_EQ(reader.integer("bytes", {1, 1e12}, {}, Unit::bytes), 49152);
  EXPECT_EQ(reader.number("plain", {1, 1e12}, {}, Unit::hertz), 5e8);
  EXPECT_TRUE(reader.boolean("yes"));
  EXPECT_EQ(reader.choice("word", {"a", "b"}), 1u);
  EXPECT_EQ(reader.integers("list", {0, 9}, {7, 7}), (std::vector<int>{1, 2}));
  EXPECT_EQ(reader.integer("absent", {1, 10}, 3), 3);
  EXPECT_EQ(reader.text("no_text", "standard"), "standard");
  EXPECT_EQ(reader.integers("no_list", {0, 9}, {7, 7}), (std::vector<int>{7, 7}));
  reader.finish();
}

TEST(ConfigReader, RefusesWrongTypesRangesAndUnitsNamingFileKeyValueAndWhatIsAllowed) {
  const ConfigTree config =
      tree(R"({"n": 0, "x": 1.5, "s": "four", "clock": "3 parsecs", "o": {"p": 1}, "b": 1, "w": "wavelt", "l": [1, 99]})");
  EXPECT_EQ(failure(config, [](ConfigReader& r) { r.integer("n", {1, 65536}); }), "run.json: n = 0: expected an integer from 1 to 65536");
  EXPECT_EQ(failure(config, [](ConfigReader& r) { r.integer("x", {1, 9}); }), "run.json: x = 1.5: expected an integer from 1 to 9");
  EXPECT_EQ(failure(config, [](ConfigReader& r) { r.integer("s", {1, 9}); }), "run.json: s = \"four\": expected an integer from 1 to 9");
  EXPECT_EQ(failure(config,
                    [](ConfigReader& r) {
                      r.number("clock", {1, 9}, {}, Unit::hertz);
                    }),
            "run.json: clock = \"3 parsecs\": wrong unit \"parsecs\": allowed are Hz, kHz, MHz, GHz");
  EXPECT_EQ(failure(config, [](ConfigReader& r) { r.integer("o", {1, 9}); }), "run.json: o: expected a value, found an object");
  EXPECT_EQ(failure(config, [](ConfigReader& r) { r.boolean("b"); }), "run.json: b = 1: expected true or false");
  EXPECT_EQ(failure(config,
                    [](ConfigReader& r) {
                      r.choice("w", {"wavelet", "bound"});
                    }),
            "run.json: w = \"wavelt\": expected one of wavelet, bound; nearest is wavelet");
  EXPECT_EQ(failure(config,
                    [](ConfigReader& r) {
                      r.integers("l", {0, 9}, {0, 0});
                    }),
            "run.json: l = [1,99]: expected an array of 2 integers from 0 to 9");
  EXPECT_EQ(failure(config, [](ConfigReader& r) { r.text("n"); }), "run.json: n = 0: expected text");
}

TEST(ConfigReader, RefusesAnUnknownKeyBeforeAMissingOneAndNamesTheNearest) {
  const auto read = [](ConfigReader& reader) {
    reader.integer("training.batch", {1, 9});
    reader.integer("training.steps", {1, 9}, 1);
    reader.text("machine", "cs2");
    reader.finish();
  };
  EXPECT_EQ(failure(tree(R"({"training": {"bacth": 4}})"), read),
            "run.json: training.bacth = 4: unknown key, the nearest known key is training.batch; known in training: batch, steps");
  EXPECT_EQ(failure(tree(R"({"colour": 4, "training.batch": 1})"), read),
            "run.json: colour = 4: unknown key; known keys: machine, training");
  EXPECT_EQ(failure(tree(R"({"training": 4})"), read), "run.json: training = 4: expected an object");
  EXPECT_EQ(failure(tree(R"({"training": {}})"), read), "run.json: training.batch: is required and missing");
  EXPECT_EQ(failure(tree(R"({"training": {"batch": 1}})"), read), "");
}

TEST(ConfigReader, ResolvesPathsAgainstWhoeverGaveThem) {
  ConfigTree config = tree(R"({"a": "x/../corpus.txt", "b": "/abs.txt", "c": "old"})");
  config.set(parse_override("c=2024"), "/some/folder");
  ConfigReader reader(config);
  EXPECT_EQ(reader.path("a"), "/home/me/corpus.txt");
  EXPECT_EQ(reader.path("b"), "/abs.txt");
  EXPECT_EQ(reader.path("c"), "/some/folder/2024") << "a file's name may look like a number on the command line";
  EXPECT_EQ(reader.path("d"), "");
}

TEST(ConfigReader, NamesTheKeyOfAnOverrideThatGivesSeveralAndTakesNoTextFromItsWhole) {
  ConfigTree config = tree("{}");
  config.set(parse_override(R"(training={"batch": 0, "name": 2024})"), "/");
  const std::string label = R"(--set training={"batch": 0, "name": 2024}: )";
  EXPECT_EQ(failure(config,
                    [](ConfigReader& r) {
                      r.integer("training.batch", {1, 9});
                    }),
            label + "training.batch = 0: expected an integer from 1 to 9");
  EXPECT_EQ(failure(config, [](ConfigReader& r) { r.text("training.name"); }), label + "training.name = 2024: expected text");
}

TEST(ConfigReader, KeepsMessagesOnOneLine) {
  const std::string message = failure(tree(R"({"a\nb": "c\nd"})"), [](ConfigReader& reader) { reader.finish(); });
  EXPECT_NE(message, "");
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(ConfigReader, AcceptsAKeyWithEverythingBelowIt) {
  const ConfigTree config = tree(R"({"any": {"thing": {"goes": 1}}, "anything": 2})");
  ConfigReader reader(config);
  reader.accept("any");
  EXPECT_THROW(reader.finish(), Error) << "anything is not below any";
  reader.accept("anything");
  EXPECT_NO_THROW(reader.finish());
}

}  // namespace
}  // namespace wafersim::sim
