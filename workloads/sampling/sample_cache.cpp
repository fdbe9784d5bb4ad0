#include "workloads/sampling/sample_cache.h"

#include <nlohmann/json.hpp>
#include <span>
#include <system_error>

#include "sim/atomic_file.h"
#include "sim/json_file.h"
#include "sim/sha256.h"

namespace wafersim::workloads {
namespace {

nlohmann::json to_json(const CallMeasurement& m) {
  nlohmann::json cycles;
  for (std::size_t a = 0; a < models::activities; ++a) cycles[models::activity_names[a]] = m.cycles[a];
  return {{"period", m.period}, {"active", m.active}, {"cycles", cycles}, {"macs", m.macs}, {"hops", m.hops}};
}

CallMeasurement measurement(const nlohmann::json& json) {
  CallMeasurement m;
  m.period = json.at("period").get<double>();
  m.active = json.at("active").get<double>();
  for (std::size_t a = 0; a < models::activities; ++a) m.cycles[a] = json.at("cycles").at(models::activity_names[a]).get<double>();
  m.macs = json.at("macs").get<double>();
  m.hops = json.at("hops").get<double>();
  return m;
}

// Of all that an entry says beside its key.
std::string digest(const nlohmann::json& entry) {
  const std::string text = entry.at("scale").dump() + entry.at("samples").dump();
  return sim::sha256_hex(std::as_bytes(std::span(text)));
}

}  // namespace

std::optional<CachedSamples> SampleCache::load(const std::string& key) const {
  std::error_code missing;
  if (directory_.empty() || !std::filesystem::exists(file(key), missing)) return std::nullopt;
  try {
    const nlohmann::json json = sim::read_json_file(file(key));
    if (json.at("key").get<std::string>() != key || json.at("digest").get<std::string>() != digest(json)) return std::nullopt;
    CachedSamples cached;
    cached.scale = json.at("scale").get<int>();
    for (const nlohmann::json& calls : json.at("samples")) {
      cached.samples.emplace_back();
      for (const nlohmann::json& call : calls) cached.samples.back().push_back(measurement(call));
    }
    return cached;
  } catch (const sim::Error&) {  // cannot be read, or is no JSON
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {  // is other JSON
    return std::nullopt;
  }
}

std::string SampleCache::store(const std::string& key, const CachedSamples& samples) const {
  if (directory_.empty()) return {};
  nlohmann::json json = {{"key", key}, {"scale", samples.scale}, {"samples", nlohmann::json::array()}};
  for (const std::vector<CallMeasurement>& calls : samples.samples) {
    nlohmann::json list = nlohmann::json::array();
    for (const CallMeasurement& call : calls) list.push_back(to_json(call));
    json["samples"].push_back(list);
  }
  json["digest"] = digest(json);
  try {
    std::error_code exists;
    std::filesystem::create_directories(directory_, exists);
    sim::write_file_atomically(file(key), json.dump() + "\n");
  } catch (const sim::Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace wafersim::workloads
