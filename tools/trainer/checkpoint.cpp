#include "tools/trainer/checkpoint.h"

#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "sim/atomic_file.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "sim/sha256.h"
#include "tools/trainer/provenance.h"

namespace wafersim::tools {
namespace {

constexpr int schema = 1;

template <class T>
std::string digest(const std::vector<T>& values) {
  return sim::sha256_hex(std::as_bytes(std::span(values)));
}
std::string digest(const workloads::Tokens& tokens) {
  std::vector<std::uint16_t> values(tokens.size());
  for (std::uint64_t k = 0; k < tokens.size(); ++k) values[k] = static_cast<std::uint16_t>(tokens[k]);
  return digest(values);
}
std::string digest(const std::string& text) { return sim::sha256_hex(std::as_bytes(std::span(text.data(), text.size()))); }

// All that the bytes of a state and those of the run that goes on from it depend on.
nlohmann::ordered_json identity(const PreparedRun& run, const std::string& block, const TraceOptions& trace) {
  nlohmann::ordered_json config = workloads::run_spec_to_json(run.spec);
  config.erase("threads");  // changes no result
  nlohmann::ordered_json out;
  out["wafersim_checkpoint"] = schema;
  out["configuration"] = digest(config.dump());
  if (run.tokens) out["data"] = digest(*run.tokens);
  if (run.weights) out["initial weights"] = digest(run.weights->weights());
  if (run.plan) {
    out["block"] = block;
    out["trace options"] = {window_text(trace), layers_text(trace), trace.limit};
  }
  return out;
}

}  // namespace

CheckpointFile::CheckpointFile(const std::filesystem::path& directory, const PreparedRun& run, const std::string& block,
                               const TraceOptions& trace)
    : path_(directory / "checkpoint.bin"), identity_(identity(run, block, trace).dump()), provenance_(provenance(run.spec).dump()) {}

void CheckpointFile::write(const Checkpoint& checkpoint) const {
  nlohmann::ordered_json header = nlohmann::ordered_json::parse(identity_);
  header["provenance"] = nlohmann::ordered_json::parse(provenance_);
  header["steps"] = checkpoint.steps;
  header["bytes"] = checkpoint.state.size();
  header["sha256"] = digest(checkpoint.state);
  if (checkpoint.trace)
    header["trace"] = {{"file", checkpoint.trace->file}, {"bytes", checkpoint.trace->bytes}, {"sha256", checkpoint.trace->sha256}};
  sim::AtomicFile file(path_);
  file.write(header.dump() + "\n");
  file.write(checkpoint.state);
  file.commit();
}

std::optional<Checkpoint> CheckpointFile::read() const {
  std::ifstream file(path_, std::ios::binary);
  if (!file) {
    if (!std::filesystem::exists(path_)) return std::nullopt;
    throw sim::Error(sim::ErrorCategory::config, fmt::format("{}: cannot be read", path_.string()));
  }
  const auto refuse = [&](const std::string& why) {
    return sim::Error(sim::ErrorCategory::config,
                      fmt::format("{}: {}; without --resume the run starts again and replaces it", path_.string(), why));
  };
  std::string line;
  std::getline(file, line);
  const nlohmann::json header = nlohmann::json::parse(line, nullptr, false);
  if (!header.is_object() || !header.contains("wafersim_checkpoint")) throw refuse("not a checkpoint of wafersim");
  const std::string maker = header.value("/provenance/version"_json_pointer, "unknown");
  if (maker != version()) throw refuse(fmt::format("made by version {}, this is {}", sim::printable(maker), version()));
  const nlohmann::json mine = nlohmann::json::parse(identity_);
  for (const auto& [key, value] : mine.items())
    if (header.value(key, nlohmann::json()) != value)
      throw refuse(key == "block"
                       ? fmt::format("made with --block {}, this run has {}", header.value(key, nlohmann::json()).dump(), value.dump())
                   : key == "wafersim_checkpoint" ? "made by another version"
                                                  : fmt::format("of another run, by its {}", key));
  const std::string state{std::istreambuf_iterator<char>(file), {}};
  if (header.value("bytes", std::uint64_t{0}) != state.size() || header.value("sha256", "") != digest(state))
    throw refuse("cut short or changed: its bytes are not those that were written");
  Checkpoint checkpoint{header.value("steps", 0), state};
  if (header.contains("trace")) {
    const nlohmann::json& trace = header["trace"];
    checkpoint.trace = TraceFile::Part{trace.value("file", ""), trace.value("bytes", std::uint64_t{0}), trace.value("sha256", "")};
  }
  return checkpoint;
}

std::string CheckpointFile::trace_part() const {
  std::ifstream file(path_, std::ios::binary);
  std::string line;
  std::getline(file, line);
  const nlohmann::json header = nlohmann::json::parse(line, nullptr, false);
  if (!header.is_object() || !header.contains("trace") || !header["trace"].is_object()) return "";
  const nlohmann::json& name = header["trace"].value("file", nlohmann::json());
  return name.is_string() ? name.get<std::string>() : "";
}

void CheckpointFile::remove() const {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
  for (const char* part : TraceFile::kept_names) std::filesystem::remove(path_.parent_path() / part, ignored);
}

}  // namespace wafersim::tools
