#include "tools/wafersim/presets_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/machine_config.h"
#include "models/machine_sources.h"
#include "sim/config/tree.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "tools/wafersim/standard_output.h"
#include "workloads/family.h"
#include "workloads/hf_config.h"
#include "workloads/presets.h"

namespace wafersim::tools {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string name;
  bool json = false;
};

struct Entry {
  std::string kind, name, about;
  ordered_json content;  // as a configuration has it
  std::string text;      // for readers
};

std::string about_model(const workloads::Preset& preset) {
  const workloads::ModelShape shape =
      workloads::parse_hf_config(sim::ConfigTree(sim::parse_json(preset.text, preset.name), preset.name, {})).shape;
  return fmt::format("{} of {} layers, width {}, {} heads, vocabulary {}, {} positions: {} parameters", workloads::name(shape.family),
                     shape.layers, shape.width, shape.heads, shape.vocabulary, shape.positions, workloads::parameter_table(shape).size());
}

std::string about_machine(const models::MachineSpec& machine) {
  return fmt::format("{} x {} PEs at {:.0f} MHz with {} KiB each, link {:.0f} GB/s each way", machine.fabric.width, machine.fabric.height,
                     machine.core.clock / 1e6, machine.sram.bytes / 1024, machine.io.bandwidth / 1e9);
}

std::string pretty(const ordered_json& json) { return json.dump(2) + "\n"; }

// A line a number.
std::string text_of(const models::MachineSpec& machine) {
  const std::vector<models::MachineField> fields = models::machine_fields(machine);
  std::size_t key_width = 0, value_width = 0;
  for (const models::MachineField& field : fields) {
    key_width = std::max(key_width, field.key.size());
    value_width = std::max(value_width, field.readable.size());
  }
  std::string text;
  const auto add = [&](const std::string& key, const std::string& value, const std::string& source) {
    text += fmt::format("{:<{}}  {:<{}}  {}\n", key, key_width, value, value_width, source);
  };
  add("key", "value", "who says it, or [A]: our assumption, and why");
  for (const models::MachineField& field : fields) add(field.key, field.readable, (field.assumed ? "[A] " : "") + field.text);
  return text;
}

std::vector<Entry> all_presets() {
  std::vector<Entry> entries;
  for (const workloads::Preset& preset : workloads::run_presets()) {
    const ordered_json content = ordered_json::parse(preset.text);
    entries.push_back({"run", preset.name, content.value("about", ""), content, pretty(content)});
  }
  for (const workloads::Preset& preset : workloads::sweep_presets()) {
    const ordered_json content = ordered_json::parse(preset.text);
    entries.push_back({"sweep", preset.name, content.value("about", ""), content, pretty(content)});
  }
  for (const workloads::Preset& preset : workloads::model_presets()) {
    const ordered_json content = ordered_json::parse(preset.text);
    entries.push_back({"model", preset.name, about_model(preset), content, pretty(content)});
  }
  for (const std::string& name : models::machine_names()) {
    const models::MachineSpec machine = models::machine_preset(name);
    entries.push_back({"machine", name, about_machine(machine), models::machine_to_json(machine), text_of(machine)});
  }
  return entries;
}

std::string list(const std::vector<Entry>& entries, bool json) {
  if (json) {
    ordered_json rows = ordered_json::array();
    for (const Entry& entry : entries) rows.push_back({{"kind", entry.kind}, {"name", entry.name}, {"about", entry.about}});
    return pretty(rows);
  }
  std::string text;
  for (const Entry& entry : entries) text += fmt::format("{:<9}{:<23}{}\n", entry.kind, entry.name, entry.about);
  return text;
}

int run(const Options& options) {
  const std::vector<Entry> entries = all_presets();
  if (options.name.empty()) {
    print_standard_output(list(entries, options.json));
    return 0;
  }
  std::vector<std::string> names;
  for (const Entry& entry : entries) {
    if (entry.name == options.name) {
      print_standard_output(options.json ? pretty(entry.content) : entry.text);
      return 0;
    }
    names.push_back(entry.name);
  }
  throw sim::Error(sim::ErrorCategory::config,
                   fmt::format("no preset is called {}; presets are {}", sim::printable(options.name), fmt::join(names, ", ")));
}

}  // namespace

Command presets_command(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* presets = program.add_subcommand("presets", "Runs, sweeps, models and machines that the program carries, or one of them");
  presets->add_option("NAME", options->name,
                      "Of a run, a sweep or a model: print its JSON; of a machine: every number with its unit and source");
  presets->add_flag("--json", options->json, "Print the list, or a machine, as JSON; a machine's is what machine_overrides takes");
  presets->footer(
      "Examples:\n  wafersim presets cs2\n  wafersim presets main >my-run.json\n\nExit codes: 0 good, 2 no preset is called so.");
  return {presets, [options] { return run(*options); }};
}

}  // namespace wafersim::tools
