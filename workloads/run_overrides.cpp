#include "workloads/run_overrides.h"

#include <algorithm>

#include "models/machine_config.h"

namespace wafersim::workloads {
namespace {

bool is_machine_key(const std::string& key) {
  const std::string group = key.substr(0, key.find('.') + 1);  // with the dot; "" when there is none
  const auto keys = models::machine_keys();
  return !group.empty() && std::any_of(keys.begin(), keys.end(), [&](const std::string& known) { return known.starts_with(group); });
}

// Drops what the configuration (not another override) holds at or below `key`.
void drop_from_configuration(sim::ConfigTree& tree, const std::string& key) {
  std::vector<std::string> dropped;
  for (const auto& [name, leaf] : tree.leaves()) {
    if ((name == key || name.starts_with(key + ".")) && !leaf.origin->command_line) dropped.push_back(name);
  }
  for (const std::string& name : dropped) tree.erase(name);
}

}  // namespace

sim::ConfigTree apply_overrides(sim::ConfigTree tree, const std::vector<sim::Override>& overrides, const std::filesystem::path& directory) {
  for (sim::Override option : overrides) {
    if (is_machine_key(option.key)) option.key = "machine_overrides." + option.key;
    if (option.key == "data.text" || option.key == "data.tokens") drop_from_configuration(tree, "data");
    if (option.key == "model.preset" || option.key == "model.hf_config") drop_from_configuration(tree, "model");
    tree.set(option, directory);
  }
  return tree;
}

}  // namespace wafersim::workloads
