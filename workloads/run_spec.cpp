#include "workloads/run_spec.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <system_error>

#include "models/machine_config.h"
#include "sim/config/reader.h"
#include "sim/config/tree.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "workloads/mapping_candidates.h"
#include "workloads/presets.h"
#include "workloads/run_overrides.h"

namespace wafersim::workloads {
namespace {

using sim::ConfigReader;
using sim::ConfigTree;
using sim::Range;

constexpr sim::Dtype dtypes[] = {sim::Dtype::f16, sim::Dtype::f32, sim::Dtype::bf16};
constexpr std::int64_t largest_wavelet_mesh = 4096;  // PEs of all systems; above it the default fidelity is sampled
const std::string machine_prefix = "machine_overrides.";
const std::string recompute_key = "mapping.recompute";
const std::vector<std::string> fidelity_names = {"wavelet", "sampled", "bound"};

int integer(ConfigReader& reader, const std::string& key, Range range, std::optional<std::int64_t> standard = {}) {
  return static_cast<int>(reader.integer(key, range, standard));
}

[[noreturn]] void unsupported(const ConfigTree& tree, const std::string& key, const std::string& what) {
  throw sim::Error(sim::ErrorCategory::unsupported, tree.message(key, what));
}

// What an override sets although nothing will read it would be a silent surprise.
void refuse_override(const ConfigReader& reader, const std::vector<std::string>& keys, const std::string& why) {
  for (const std::string& key : keys) {
    if (reader.given_on_command_line(key)) reader.fail(key, "has no effect " + why);
  }
}

std::filesystem::path existing_file(ConfigReader& reader, const std::string& key) {
  auto path = reader.path(key);
  std::error_code code;
  if (!path.empty() && !std::filesystem::exists(path, code)) reader.fail(key, "no such file: " + sim::printable(path.string(), 200));
  if (std::filesystem::is_directory(path, code)) reader.fail(key, "is a folder, not a file: " + sim::printable(path.string(), 200));
  return path;
}

models::MachineSpec read_machine_spec(ConfigReader& reader) {
  const auto& names = models::machine_names();
  models::MachineSpec machine = models::machine_preset(names[reader.choice("machine", names)]);
  models::read_machine(reader, machine_prefix, machine);
  return machine;
}

memoryx::UpdateSpec read_update(ConfigReader& reader, int steps, sim::Dtype dtype) {
  memoryx::UpdateSpec update;
  memoryx::OptimizerSpec& optimizer = update.optimizer;
  memoryx::ScheduleSpec& schedule = update.schedule;
  update.clip = reader.number("training.clip", Range{0, 1e12}, 0.0);
  optimizer.kind = static_cast<memoryx::OptimizerSpec::Kind>(reader.choice("training.optimizer.kind", {"adamw", "sgd"}, 0));
  optimizer.lr = reader.number("training.optimizer.lr", Range{0, 1e3}, optimizer.lr);
  optimizer.beta1 = reader.number("training.optimizer.beta1", Range{0, 0.999999999}, optimizer.beta1);
  optimizer.beta2 = reader.number("training.optimizer.beta2", Range{0, 0.999999999}, optimizer.beta2);
  optimizer.eps = reader.number("training.optimizer.eps", Range{1e-30, 1}, optimizer.eps);
  optimizer.weight_decay = reader.number("training.optimizer.weight_decay", Range{0, 1e3}, optimizer.weight_decay);
  if (optimizer.kind == memoryx::OptimizerSpec::Kind::sgd) {
    refuse_override(reader, {"training.optimizer.beta1", "training.optimizer.beta2", "training.optimizer.eps"}, "with the optimizer sgd");
  }
  schedule.kind = static_cast<memoryx::ScheduleSpec::Kind>(reader.choice("training.schedule.kind", {"constant", "cosine"}, 0));
  schedule.warmup_steps = reader.integer("training.schedule.warmup_steps", Range{0, 1e9}, 0);
  schedule.decay_steps = reader.integer("training.schedule.decay_steps", Range{1, 1e9}, steps);
  schedule.min_lr = reader.number("training.schedule.min_lr", Range{0, 1e3}, schedule.min_lr);
  if (schedule.min_lr > optimizer.lr)
    reader.fail("training.schedule.min_lr", fmt::format("is above training.optimizer.lr = {}", optimizer.lr));
  if (schedule.kind == memoryx::ScheduleSpec::Kind::constant) {
    refuse_override(reader, {"training.schedule.min_lr", "training.schedule.decay_steps"}, "with the schedule constant");
  }
  memoryx::LossScaleSpec& scale = update.loss_scale;
  scale.initial = reader.number("training.loss_scale.initial", Range{1.0 / 65536, 1.099511627776e12}, scale.initial);
  scale.growth_interval = reader.integer("training.loss_scale.growth_interval", Range{1, 1e9}, scale.growth_interval);
  scale.dynamic = reader.boolean("training.loss_scale.dynamic", scale.dynamic);
  if (dtype != sim::Dtype::f16) {
    refuse_override(reader, {"training.loss_scale.initial", "training.loss_scale.growth_interval", "training.loss_scale.dynamic"},
                    fmt::format("with dtype {}", sim::storage_name(dtype)));
    scale = memoryx::no_loss_scale();
  }
  return update;
}

DataSpec read_data(ConfigReader& reader) {
  const auto text = existing_file(reader, "data.text");
  const auto tokens = existing_file(reader, "data.tokens");
  if (!text.empty() && !tokens.empty()) reader.fail("data.tokens", "give either data.text or data.tokens");
  return tokens.empty() ? DataSpec{DataSpec::Kind::text, text} : DataSpec{DataSpec::Kind::tokens, tokens};
}

// A mesh of the user's is mapped whole, a whole wafer without what host I/O keeps.
MappingSpec read_mapping(ConfigReader& reader, const models::MachineSpec& machine) {
  MappingSpec mapping;
  const Range pins{1, 1 << 20};
  for (auto [key, field] :
       {std::pair{"mapping.lanes", &mapping.lanes}, std::pair{"mapping.tokens_per_pe", &mapping.tokens_per_pe},
        std::pair{"mapping.features_per_pe", &mapping.features_per_pe}, std::pair{"mapping.micro_batches", &mapping.micro_batches}}) {
    *field = integer(reader, key, pins, 0);
  }
  reader.accept(recompute_key);

  const fabric::FabricSpec& mesh = machine.fabric;
  const bool own_mesh = reader.given(machine_prefix + "fabric.width") || reader.given(machine_prefix + "fabric.height");
  fabric::Rectangle& part = mapping.rectangle;
  const bool whole = own_mesh || reader.given("mapping.rectangle");
  const models::HostIoSpec host = whole ? models::HostIoSpec{0, 0, 0, 0} : machine.host_io;
  const Range extent{1, 4096};
  part.x = integer(reader, "mapping.rectangle.x", Range{0, 4095}, host.first_column);
  part.y = integer(reader, "mapping.rectangle.y", Range{0, 4095}, host.first_row);
  const int beside = std::max(part.x, host.columns), above = std::max(part.y, host.rows);
  part.width = integer(reader, "mapping.rectangle.width", extent, mesh.width - beside);
  part.height = integer(reader, "mapping.rectangle.height", extent, mesh.height - above);
  if (part.width < 1 || part.height < 1 || part.x + part.width > mesh.width || part.y + part.height > mesh.height) {
    const std::string key = reader.given("mapping.rectangle.width") ? "mapping.rectangle.width" : "mapping.rectangle";
    reader.fail(key, fmt::format("{} x {} PEs at column {}, row {} do not lie on the mesh of {} x {}", part.width, part.height, part.x,
                                 part.y, mesh.width, mesh.height));
  }
  return mapping;
}

// true, false or an array of layers' numbers.
std::optional<Recompute> read_recompute(const ConfigReader& reader, const ConfigTree& tree, int layers) {
  if (!reader.given(recompute_key)) return {};
  const sim::ConfigLeaf* leaf = tree.find(recompute_key);
  const auto is_layer = [layers](const nlohmann::json& v) {
    return v.is_number_integer() && v.get<double>() >= 0 && v.get<double>() < layers;
  };
  if (leaf != nullptr && leaf->value.is_boolean()) return recompute_first(leaf->value.get<bool>() ? layers : 0, layers);
  if (leaf == nullptr || !leaf->value.is_array() || !std::all_of(leaf->value.begin(), leaf->value.end(), is_layer))
    reader.fail(recompute_key,
                fmt::format("expected true, false or an array of the layers whose activations are computed again, of 0 to {}", layers - 1));
  Recompute recompute(static_cast<std::size_t>(layers));
  for (const nlohmann::json& layer : leaf->value) recompute[layer.get<std::size_t>()] = true;
  return recompute;
}

Fidelity read_fidelity(ConfigReader& reader, const ConfigTree& tree, const fabric::Rectangle& part, int systems) {
  const bool small = std::int64_t{part.width} * part.height * systems <= largest_wavelet_mesh;
  const Fidelity standard = small ? Fidelity::wavelet : Fidelity::sampled;
  const auto fidelity = static_cast<Fidelity>(reader.choice("fidelity", fidelity_names, static_cast<std::size_t>(standard)));
  if (fidelity == Fidelity::bound) unsupported(tree, "fidelity", "nothing is simulated: `wafersim plan` prints the bound");
  return fidelity;
}

// A sampled run computes numbers where it has data.
bool read_numerics(ConfigReader& reader, const RunSpec& spec) {
  const bool without = spec.fidelity == Fidelity::sampled && spec.data.path.empty();
  return reader.choice("numerics", {"on", "off"}, without ? 1 : 0) == 0;
}

void check_numerics(const ConfigReader& reader, const RunSpec& spec) {
  if (!spec.numerics && spec.fidelity == Fidelity::wavelet)
    reader.fail("numerics", "wavelets carry the numbers: off needs fidelity = sampled");
  if (spec.numerics && spec.data.path.empty())
    reader.fail("data", "is required and missing: give data.text or data.tokens, or set numerics = off where fidelity = sampled");
  if (!spec.numerics) refuse_override(reader, {"weights.initial", "weights.final", "data.text", "data.tokens"}, "with numerics off");
}

void check_shares(const ConfigReader& reader, const RunSpec& spec) {
  if (spec.training.batch % spec.systems != 0)
    reader.fail("systems", fmt::format("does not divide training.batch = {}: every system trains the same share", spec.training.batch));
  if (const int count = spec.mapping.micro_batches; count > 0 && spec.batch_per_system() % count != 0)
    reader.fail("mapping.micro_batches", fmt::format("does not divide the {} samples of a step on a system", spec.batch_per_system()));
  if (const int samples = spec.batch_per_system() / std::max(1, spec.mapping.micro_batches); spec.mapping.lanes > samples)
    reader.fail("mapping.lanes",
                fmt::format("a lane holds whole samples, of which a system has {} at once; give at most as many", samples));
}

// hf_config or preset, then the keys of model.config over it.
void read_model(const ConfigReader& reader, const ConfigTree& tree, const std::filesystem::path& file, const std::string& preset,
                RunSpec& spec) {
  ConfigTree config = tree.below("model.config");
  std::string standard_name = "inline";
  if (!file.empty()) {
    standard_name = file.stem().string();
    ConfigTree base(sim::read_json_file(file), file.string(), file.parent_path());
    base.overlay(config);
    config = std::move(base);
  } else if (!preset.empty()) {
    standard_name = preset;
    const Preset* found = find_preset(model_presets(), preset);
    if (found == nullptr)
      reader.fail("model.preset", fmt::format("no such preset; known are {}", fmt::join(preset_names(model_presets()), ", ")));
    ConfigTree base(sim::parse_json(found->text, preset), preset, {});
    base.overlay(config);
    config = std::move(base);
  }
  spec.model = parse_hf_config(config);
  if (spec.model_name.empty()) spec.model_name = standard_name;
}

// Pins that no mesh could follow.
void check_tile(const ConfigReader& reader, const RunSpec& spec) {
  if (spec.mapping.tokens_per_pe > spec.training.sequence)
    reader.fail("mapping.tokens_per_pe",
                fmt::format("a sample has {} tokens (training.sequence); give at most as many", spec.training.sequence));
  const int features = spec.mapping.features_per_pe;
  std::vector<int> near = feature_choices(spec.model.shape);
  if (features == 0 || std::find(near.begin(), near.end(), features) != near.end()) return;
  std::stable_sort(near.begin(), near.end(), [features](int a, int b) { return std::abs(a - features) < std::abs(b - features); });
  near.resize(std::min<std::size_t>(near.size(), 3));
  reader.fail("mapping.features_per_pe", fmt::format("heads of {} features in whole columns give other numbers; the nearest are {}",
                                                     spec.model.shape.head(), fmt::join(near, ", ")));
}

}  // namespace

const char* name(Fidelity fidelity) { return fidelity_names[static_cast<std::size_t>(fidelity)].c_str(); }

namespace {

RunSpec read_run_spec(ConfigReader& reader, const ConfigTree& tree) {
  RunSpec spec;
  reader.accept("version");  // of the program that wrote the configuration
  spec.about = reader.text("about", "");
  spec.machine = read_machine_spec(reader);
  const auto hf_file = existing_file(reader, "model.hf_config");
  const std::string model_preset = reader.text("model.preset", "");
  spec.model_name = reader.text("model.name", "");
  reader.accept("model.config");
  if (const sim::ConfigLeaf* leaf = tree.find("model.config"); leaf != nullptr && !leaf->value.is_object())
    reader.fail("model.config", "expected an object with the keys of a Hugging Face config.json");
  spec.initial_weights = existing_file(reader, "weights.initial");
  spec.final_weights = reader.path("weights.final");
  spec.data = read_data(reader);
  spec.training.batch = integer(reader, "training.batch", Range{1, largest_batch});
  spec.training.sequence = integer(reader, "training.sequence", Range{1, 1 << 24});
  spec.training.steps = integer(reader, "training.steps", Range{1, 1e9});
  spec.training.tokens = reader.number("training.tokens", Range{1, 1e18}, 0.0);
  spec.dtype = dtypes[reader.choice("dtype", {"fp16", "fp32", "bf16"}, 0)];
  spec.training.update = read_update(reader, spec.training.steps, spec.dtype);
  spec.mapping = read_mapping(reader, spec.machine);
  spec.systems = integer(reader, "systems", Range{1, 2048}, 1);
  spec.fidelity = read_fidelity(reader, tree, spec.mapping.rectangle, spec.systems);
  spec.numerics = read_numerics(reader, spec);
  spec.threads = integer(reader, "threads", Range{1, 256}, 1);
  spec.seed = static_cast<std::uint64_t>(reader.integer("seed", Range{0, 9007199254740991.0}, 1));
  reader.finish();
  check_numerics(reader, spec);
  check_shares(reader, spec);

  if (!hf_file.empty() && !model_preset.empty()) reader.fail("model.preset", "give either model.preset or model.hf_config");
  if (hf_file.empty() && model_preset.empty() && !reader.given("model.config")) {
    reader.fail("model", "is required and missing: give model.hf_config, model.config or model.preset");
  }
  read_model(reader, tree, hf_file, model_preset, spec);
  spec.mapping.recompute = read_recompute(reader, tree, spec.model.shape.layers);
  check_tile(reader, spec);
  if (spec.training.sequence > spec.model.shape.positions) {
    reader.fail("training.sequence", fmt::format("is beyond the {} positions of the model", spec.model.shape.positions));
  }
  if (std::int64_t{spec.training.batch} * spec.training.sequence > largest_step)
    reader.fail("training.batch", "a step has 2^31 tokens or more");
  return spec;
}

}  // namespace

RunSpec parse_run_spec(const ConfigTree& tree) {
  ConfigReader reader(tree);
  return read_run_spec(reader, tree);
}

std::vector<std::string> run_keys() {
  const Preset& any = run_presets().front();
  const ConfigTree tree(sim::parse_json(any.text, any.name), any.name, {});
  ConfigReader reader(tree);
  read_run_spec(reader, tree);
  std::vector<std::string> keys;
  for (const std::string& key : reader.known()) keys.push_back(key.starts_with(machine_prefix) ? key.substr(machine_prefix.size()) : key);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::erase(keys, "version");
  return keys;
}

ConfigTree read_config_tree(const std::string& config, const std::filesystem::path& directory) {
  std::error_code code;
  const std::filesystem::path file = config;
  const Preset* preset = std::filesystem::exists(file, code) ? nullptr : find_preset(run_presets(), config);
  if (preset == nullptr && !std::filesystem::exists(file, code)) {
    throw sim::Error(sim::ErrorCategory::config, fmt::format("{}: no such file, nor a preset; presets are {}", sim::printable(config, 200),
                                                             fmt::join(preset_names(run_presets()), ", ")));
  }
  return ConfigTree(preset ? sim::parse_json(preset->text, config) : sim::read_json_file(file), config,
                    preset ? directory : std::filesystem::absolute(file).parent_path());
}

RunSpec read_run_spec(const std::string& config, const std::vector<sim::Override>& overrides, const std::filesystem::path& directory) {
  return parse_run_spec(apply_overrides(read_config_tree(config, directory), overrides, directory));
}

}  // namespace wafersim::workloads
