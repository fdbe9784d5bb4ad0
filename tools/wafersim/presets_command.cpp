#include "tools/wafersim/presets_command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/machine_config.h"
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
  ordered_json content;
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

std::vector<Entry> all_presets() {
  std::vector<Entry> entries;
  for (const workloads::Preset& preset : workloads::run_presets()) {
    const ordered_json content = ordered_json::parse(preset.text);
    entries.push_back({"run", preset.name, content.value("about", ""), content});
  }
  for (const workloads::Preset& preset : workloads::model_presets())
    entries.push_back({"model", preset.name, about_model(preset), ordered_json::parse(preset.text)});
  for (const std::string& name : models::machine_names()) {
    const models::MachineSpec machine = models::machine_preset(name);
    entries.push_back({"machine", name, about_machine(machine), models::machine_to_json(machine)});
  }
  return entries;
}

std::string list(const std::vector<Entry>& entries, bool json) {
  if (json) {
    ordered_json rows = ordered_json::array();
    for (const Entry& entry : entries) rows.push_back({{"kind", entry.kind}, {"name", entry.name}, {"about", entry.about}});
    return rows.dump(2) + "\n";
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
      print_standard_output(entry.content.dump(2) + "\n");
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
  CLI::App* presets = program.add_subcommand("presets", "Runs, models and machines that the program carries; with a name, its JSON");
  presets->add_option("NAME", options->name, "Of a preset: print its JSON");
  presets->add_flag("--json", options->json, "Print the list as JSON");
  return {presets, [options] { return run(*options); }};
}

}  // namespace wafersim::tools
