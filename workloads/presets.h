#pragma once
// The configurations of workloads/presets, embedded at build time so that they are found wherever the program is installed.

#include <string>
#include <vector>

namespace wafersim::workloads {

struct Preset {
  std::string name;
  std::string text;  // JSON
};

const std::vector<Preset>& run_presets();    // presets/*.json: what `wafersim run NAME` runs
const std::vector<Preset>& model_presets();  // presets/models/*.json: Hugging Face configs for {"preset": NAME}
const std::vector<Preset>& sweep_presets();  // presets/sweeps/*.json: what `wafersim sweep NAME` runs (tools/sweep/sweep_spec.h)
// nullptr when there is none of this name.
const Preset* find_preset(const std::vector<Preset>& presets, const std::string& name);
std::vector<std::string> preset_names(const std::vector<Preset>& presets);

}  // namespace wafersim::workloads
