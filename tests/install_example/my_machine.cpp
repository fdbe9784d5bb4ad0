// A machine of one's own: a CS-2 with a slower network and a faster clock trains what a configuration says.
// usage: my_machine CONFIG own|stock     prints report.json. A process simulates one system (SystemC), hence one machine a call.

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/config/tree.h"
#include "tools/trainer/guard.h"
#include "tools/trainer/report.h"
#include "workloads/run_spec.h"

using namespace wafersim;

namespace {

// A machine is a value. Its mesh stays that of the configuration, to which the mapping's rectangle has been fitted.
models::MachineSpec slow_network(models::MachineSpec machine) {
  machine.name = "slow-network";
  machine.fabric.hop_cycles = 3;
  machine.core.clock = 1.2e9;
  return machine;
}

}  // namespace

int main(int argc, char** argv) {
  return tools::guarded([&] {
    workloads::RunSpec spec = workloads::read_run_spec(argc > 1 ? argv[1] : "main", {}, std::filesystem::current_path());
    if (argc > 2 && std::string(argv[2]) == "own") spec.machine = slow_network(spec.machine);
    const tools::PreparedRun run = tools::prepare_run(spec);
    const tools::RunResult result = tools::train(run, {}, [](int, const tools::StepRecord&) {});
    std::printf("%s\n", tools::make_report(run, result).dump(2).c_str());
    return 0;
  });
}
