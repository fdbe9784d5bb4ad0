#include "tools/trainer/run_state.h"

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/vector.hpp>
#include <sstream>

namespace wafersim::tools {
namespace {

template <class... Parts>
std::string save(const Parts&... parts) {
  std::ostringstream bytes;
  {
    cereal::PortableBinaryOutputArchive archive(bytes);
    archive(parts...);
  }
  return std::move(bytes).str();
}

template <class... Parts>
void restore(const std::string& state, Parts&... parts) {
  std::istringstream bytes(state);
  cereal::PortableBinaryInputArchive archive(bytes);
  archive(parts...);
}

}  // namespace

std::string save_state(const RunResult& result, const Trace* trace, const models::System& system) {
  return save(result.steps, result.breakdown, result.totals, system.save(), trace == nullptr ? std::string() : save(*trace));
}

void restore_state(const std::string& state, RunResult& result, Trace* trace, models::System& system) {
  std::string of_system, of_trace;
  restore(state, result.steps, result.breakdown, result.totals, of_system, of_trace);
  system.restore(of_system);
  if (trace != nullptr) restore(of_trace, *trace);
}

std::string save_state(const std::vector<StepRecord>& records, const workloads::reference::ReferenceTrainer& trainer) {
  return save(records, trainer);
}

void restore_state(const std::string& state, std::vector<StepRecord>& records, workloads::reference::ReferenceTrainer& trainer) {
  restore(state, records, trainer);
}

}  // namespace wafersim::tools
