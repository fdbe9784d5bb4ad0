#pragma once
// A run as typed values: machine, model, data, training, mapping. Read from a JSON configuration or a preset with overrides from the
// command line; written back complete, as JSON that reads to the same RunSpec. The keys and their defaults are listed in run_spec.cpp and
// models/machine_config.cpp.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "fabric/geometry.h"
#include "memoryx/update.h"
#include "models/machine.h"
#include "sim/dtype.h"
#include "workloads/hf_config.h"
#include "workloads/recompute.h"

namespace wafersim::sim {
class ConfigTree;
struct Override;
}  // namespace wafersim::sim

namespace wafersim::workloads {

// What a configuration can ask for: samples of a step, and its tokens.
constexpr int largest_batch = 1 << 20;
constexpr std::int64_t largest_step = (std::int64_t{1} << 31) - 1;

struct DataSpec {
  enum class Kind { text, tokens };
  Kind kind = Kind::text;
  std::filesystem::path path;
};

struct TrainingSpec {
  int batch = 0;     // samples a step
  int sequence = 0;  // tokens a sample
  int steps = 0;
  double tokens = 0;           // of the whole training that reports estimate; 0: twenty a parameter
  memoryx::UpdateSpec update;  // optimizer, schedule, loss scale (none in fp32), clip
};

struct MappingSpec {
  fabric::Rectangle rectangle;  // the part of the mesh that works
  int lanes = 0;                // 0: the mapper chooses, here and below
  int tokens_per_pe = 0;        // t
  int features_per_pe = 0;      // h
  int micro_batches = 0;        // divides training.batch
  std::optional<Recompute> recompute;
};

enum class Fidelity { wavelet, sampled, bound };
const char* name(Fidelity fidelity);

struct RunSpec {
  std::string about;  // free text of the configuration
  models::MachineSpec machine;
  int systems = 1;  // wafers that share each step's batch
  HfConfig model;
  std::string model_name;
  std::filesystem::path initial_weights;  // empty: from the seed
  std::filesystem::path final_weights;    // empty: not written
  DataSpec data;
  TrainingSpec training;
  MappingSpec mapping;
  sim::Dtype dtype = sim::Dtype::f16;  // f16, f32 or bf16
  Fidelity fidelity = Fidelity::wavelet;
  bool numerics = true;  // whether values are computed; times do not depend on them
  int threads = 1;
  std::uint64_t seed = 1;

  int batch_per_system() const { return training.batch / systems; }
};

// `config` is a file, or else the name of a run preset. Relative paths of a file start from its folder, those of a preset from `directory`.
// Error(config) where it is neither, or no JSON.
sim::ConfigTree read_config_tree(const std::string& config, const std::filesystem::path& directory);

// The run that `config` (as above) describes with the overrides, whose relative paths start from `directory`. An override's key may leave
// out "machine_overrides."; one that names another kind of data or model replaces the configuration's. Errors: config for wrong input,
// unsupported for what this version does not do.
RunSpec read_run_spec(const std::string& config, const std::vector<sim::Override>& overrides, const std::filesystem::path& directory);
RunSpec parse_run_spec(const sim::ConfigTree& tree);
// The keys that overrides may have, those of a machine as they are typed (core.clock); model.config's are a Hugging Face config's.
std::vector<std::string> run_keys();
nlohmann::ordered_json run_spec_to_json(const RunSpec& spec);

}  // namespace wafersim::workloads
