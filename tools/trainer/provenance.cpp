#include "tools/trainer/provenance.h"

#include <nlohmann/json.hpp>
#include <span>

#include "sim/sha256.h"
#include "tools/trainer/commit.h"
#include "tools/trainer/host.h"

namespace wafersim::tools {

using nlohmann::ordered_json;

std::string version() { return std::string(WAFERSIM_VERSION "+") + commit; }

std::string config_text(const workloads::RunSpec& spec) {
  ordered_json config;
  config["version"] = version();
  config.update(workloads::run_spec_to_json(spec));
  return config.dump(2) + "\n";
}

std::string config_digest(ordered_json config) {
  config.erase("version");
  config.erase("threads");
  const std::string text = config.dump(2) + "\n";
  return sim::sha256_hex(std::as_bytes(std::span(text)));
}

ordered_json provenance(const std::string& config_digest, std::uint64_t seed) {
  return {{"version", version()}, {"config_digest", config_digest}, {"seed", seed}, {"host", host_name()}};
}

ordered_json provenance(const workloads::RunSpec& spec) { return provenance(config_digest(workloads::run_spec_to_json(spec)), spec.seed); }

}  // namespace wafersim::tools
