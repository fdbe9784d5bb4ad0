#pragma once
// A configuration as a flat table of dotted keys, each with its value and where it was given. Nested objects and dotted keys are the same
// thing:
// {"fabric": {"width": 16}} and {"fabric.width": 16} both hold fabric.width = 16. Arrays and empty objects are values.
// Errors are of category config: a key given twice, both a value and an object, empty parts, more than max_json_depth parts.

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace wafersim::sim {

// KEY=VALUE from a command line. `label` names it in messages: "--set training.steps=5", "--steps 5".
struct Override {
  std::string key;
  std::string value;
  std::string label;
};
// Splits at the first '='. Error(config) without one or with an empty key.
Override parse_override(const std::string& key_value);

struct ConfigOrigin {
  std::string label;                // the file's name, or an override's label
  std::filesystem::path directory;  // what relative paths are relative to
  bool command_line = false;
  std::optional<std::string> typed;  // the value of an override that gives one key, as typed
};

struct ConfigLeaf {
  std::string name;  // the full key, for messages
  nlohmann::json value;
  std::shared_ptr<const ConfigOrigin> origin;
};

class ConfigTree {
 public:
  // `root` must be an object.
  ConfigTree(const nlohmann::json& root, const std::string& label, const std::filesystem::path& directory);

  // The value is read as JSON where it is JSON, else as text; an object is merged key by key. Replaces what the key and keys below it held.
  void set(const Override& option, const std::filesystem::path& directory);
  // The part of the tree below `key` as a tree of its own, which still prints full keys.
  ConfigTree below(const std::string& key) const;
  // Puts every value of `other` over what is here.
  void overlay(const ConfigTree& other);
  void erase(const std::string& key);  // with everything below it

  const ConfigLeaf* find(const std::string& key) const;
  bool has_below(const std::string& key) const;
  const std::map<std::string, ConfigLeaf>& leaves() const { return leaves_; }
  // "run.json: training.batch = 0: what", "--set training.batch=0: what", '--set training={"batch":0}: training.batch = 0: what', or
  // "run.json: training.batch: what" when the key is not there.
  std::string message(const std::string& key, const std::string& what) const;

 private:
  ConfigTree() = default;
  void insert(const std::string& key, const nlohmann::json& value, const std::shared_ptr<const ConfigOrigin>& origin);
  void make_room(const std::string& key, const ConfigOrigin& origin);

  std::string label_;
  std::string prefix_;  // printed before every key
  std::map<std::string, ConfigLeaf> leaves_;
};

}  // namespace wafersim::sim
