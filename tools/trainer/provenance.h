#pragma once
// What made a result, the same object in every one of them:
//   {"version", "config_digest", "seed", "host"}
// version: "0.1.0+COMMIT", with 12 digits of the commit that the program was built from, ".changed" where its files were not the commit's,
// or "unknown" outside a checkout. config_digest: SHA-256 of config.json (as `wafersim run` writes it) without its lines "version" and
// "threads", which change no result. host: the name of the machine that computed it.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "workloads/run_spec.h"

namespace wafersim::tools {

std::string version();

// The complete configuration with the version, as text: what runs again to the same results.
std::string config_text(const workloads::RunSpec& spec);
std::string config_digest(nlohmann::ordered_json config);

nlohmann::ordered_json provenance(const std::string& config_digest, std::uint64_t seed);
nlohmann::ordered_json provenance(const workloads::RunSpec& spec);

}  // namespace wafersim::tools
