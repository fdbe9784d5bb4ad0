#include "workloads/presets.h"

namespace wafersim::workloads {

const Preset* find_preset(const std::vector<Preset>& presets, const std::string& name) {
  for (const Preset& preset : presets) {
    if (preset.name == name) return &preset;
  }
  return nullptr;
}

std::vector<std::string> preset_names(const std::vector<Preset>& presets) {
  std::vector<std::string> out;
  out.reserve(presets.size());
  for (const Preset& preset : presets) out.push_back(preset.name);
  return out;
}

}  // namespace wafersim::workloads
