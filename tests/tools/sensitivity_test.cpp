#include "tools/trainer/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/machine_sources.h"
#include "sim/error.h"

namespace wafersim::tools {
namespace {

// GPT-2 of one layer on 8 x 8 PEs.
PreparedRun small_run() {
  workloads::RunSpec spec;
  spec.model.shape = {24, 16, 16, 1, 2, 64, 1e-5, true};
  spec.training.batch = 4;
  spec.training.sequence = 8;
  spec.training.steps = 1;
  spec.machine.fabric.width = spec.machine.fabric.height = 8;
  spec.mapping.rectangle = {0, 0, 8, 8};
  spec.fidelity = workloads::Fidelity::sampled;
  spec.numerics = false;
  return prepare_run(spec);
}

const Sensitivity& row(const std::vector<Sensitivity>& rows, const std::string& key) {
  return *std::find_if(rows.begin(), rows.end(), [&](const Sensitivity& r) { return r.key == key; });
}

TEST(ChangedMachine, ScalesOneNumberIntegersAwayFromWhatTheyWere) {
  const models::MachineSpec machine;
  EXPECT_EQ(changed_machine(machine, "core.clock", 1.5)->core.clock, 1.275e9);
  EXPECT_EQ(changed_machine(machine, "fabric.hop_cycles", 1.5)->fabric.hop_cycles, 2);
  EXPECT_EQ(changed_machine(machine, "core.output_queue_words", 0.5)->core.output_queue_words[2], 3);
  EXPECT_EQ(changed_machine(machine, "core.clock", 1.5)->fabric.hop_cycles, machine.fabric.hop_cycles);
  EXPECT_FALSE(changed_machine(machine, "io.edge_queue_words", 1.5));  // 0
  EXPECT_THROW(changed_machine(machine, "fabric.hop_cycles", 0.5), sim::Error);
}

TEST(Sensitivity, FindsTheExponentsOfAPowerLawAndNothingElsewhere) {
  const PreparedRun run = small_run();
  const auto seconds = [](const PreparedRun& variant) {
    return std::pow(variant.spec.machine.core.clock / 0.85e9, -1) * std::sqrt(variant.spec.machine.io.latency / 1e-6);
  };
  int asked = 0;
  const std::vector<Sensitivity> rows = find_sensitivity(run, seconds, [&](const std::string&) { ++asked; });
  EXPECT_EQ(asked, static_cast<int>(rows.size()));
  EXPECT_NEAR(row(rows, "core.clock").elasticity(1), -1, 1e-9);
  EXPECT_FALSE(row(rows, "core.clock").assumed);
  EXPECT_NEAR(row(rows, "io.latency").elasticity(1), 0.5, 1e-9);
  EXPECT_TRUE(row(rows, "io.latency").assumed);
  EXPECT_EQ(row(rows, "core.rate.mixed_fma").elasticity(1), 0);
  EXPECT_EQ(row(rows, "fabric.hop_cycles").points.size(), 2u);  // 0 is refused, 2 is not
  EXPECT_TRUE(row(rows, "fabric.hop_cycles").points[1].seconds.has_value());
}

TEST(Sensitivity, SearchesTheMappingAgainWherePesHoldLessAndSaysWhenNothingFits) {
  PreparedRun run = small_run();
  run.spec.machine.sram.bytes = run.sram.peak_bytes;
  std::vector<int> bytes;
  const std::vector<Sensitivity> rows = find_sensitivity(
      run,
      [&](const PreparedRun& variant) {
        if (variant.spec.machine.sram.bytes != run.spec.machine.sram.bytes) bytes.push_back(variant.sram.peak_bytes);
        return 1.0;
      },
      [](const std::string&) {});
  const Sensitivity& sram = row(rows, "sram.bytes");
  ASSERT_EQ(sram.points.size(), 2u);
  EXPECT_NE(sram.points[0].refusal.find("SRAM overflow"), std::string::npos) << sram.points[0].refusal;
  EXPECT_EQ(sensitivity_json(rows, 1)[3]["points"][0].contains("seconds"), false);
}

TEST(Sensitivity, NamesEveryAssumptionThatCanHaveAPartInAStep) {
  workloads::RunSpec spec;
  const std::vector<std::string> one = sensitivity_keys(spec);
  spec.systems = 4;
  const std::vector<std::string> four = sensitivity_keys(spec);
  const auto has = [](const std::vector<std::string>& keys, const char* key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  for (const char* key :
       {"core.clock", "io.wafer_bandwidth", "memoryx.bandwidth", "memoryx.optimizer_rate", "sram.bytes", "core.rate.mixed_fma",
        "fabric.hop_cycles", "core.issue_cycles", "core.output_switch_cycles", "core.function.exp", "memoryx.flash_bandwidth"})
    EXPECT_TRUE(has(one, key)) << key;
  EXPECT_FALSE(has(one, "energy.system_power_w"));
  EXPECT_FALSE(has(one, "swarmx.latency"));
  EXPECT_TRUE(has(four, "swarmx.latency"));
}

TEST(Sensitivity, HasEveryAssumptionOfEveryMachineOnceButThoseOfEnergyAndOfTreesThatAreNotThere) {
  for (const std::string& machine : models::machine_names())
    for (const int systems : {1, 4}) {
      PreparedRun run = small_run();
      run.spec.machine = models::machine_preset(machine);
      run.spec.systems = systems;
      const std::vector<Sensitivity> rows = find_sensitivity(
          run, [](const PreparedRun&) { return 1.0; }, [](const std::string&) {});
      for (const models::MachineField& field : models::assumptions(run.spec.machine)) {
        const bool has_part = !field.key.starts_with("energy.") && (systems > 1 || !field.key.starts_with("swarmx."));
        const auto is_it = [&](const Sensitivity& r) { return r.key == field.key; };
        EXPECT_EQ(std::count_if(rows.begin(), rows.end(), is_it), has_part ? 1 : 0) << machine << " " << field.key;
        EXPECT_TRUE(!has_part || row(rows, field.key).assumed) << machine << " " << field.key;
      }
    }
}

TEST(Sensitivity, ChangesTheBandwidthOfTheLinkThatTheConfigurationGives) {
  PreparedRun run = small_run();
  run.spec.machine.io.bandwidth_override = 1e8;
  const auto seconds = [](const PreparedRun& variant) { return 1e8 / variant.spec.machine.io.bandwidth_override; };
  const std::vector<Sensitivity> rows = find_sensitivity(run, seconds, [](const std::string&) {});
  EXPECT_EQ(row(rows, "io.bandwidth").value, "100000000.0");
  EXPECT_NEAR(row(rows, "io.bandwidth").elasticity(1), -1, 1e-9);
  EXPECT_TRUE(std::none_of(rows.begin(), rows.end(), [](const Sensitivity& r) { return r.key == "io.wafer_bandwidth"; }));
}

TEST(Sensitivity, ChangesTheEdgeQueuesThatAreDerivedWhereNoneAreGiven) {
  PreparedRun run = small_run();
  ASSERT_EQ(run.spec.machine.io.edge_queue_words, 0);
  const int words = run.edge_queue_words;
  ASSERT_GT(words, 1);
  const auto seconds = [words](const PreparedRun& variant) { return static_cast<double>(words) / variant.edge_queue_words; };
  const Sensitivity queues = row(find_sensitivity(run, seconds, [](const std::string&) {}), "io.edge_queue_words");
  EXPECT_EQ(queues.value, std::to_string(words));
  EXPECT_TRUE(queues.assumed);
  ASSERT_EQ(queues.points.size(), 2u);
  EXPECT_EQ(queues.points[0].value, std::to_string(words / 2));
  EXPECT_NEAR(queues.elasticity(1), -1, 1e-9);
}

TEST(Sensitivity, SaysWhyAnAssumptionCannotBeChangedAlone) {
  PreparedRun run = small_run();
  run.spec.machine = models::machine_preset("cs1");
  const std::vector<Sensitivity> rows = find_sensitivity(
      run, [](const PreparedRun&) { return 1.0; }, [](const std::string&) {});
  for (const char* key : {"fabric.width", "fabric.height", "host_io.columns", "host_io.rows"}) {
    EXPECT_TRUE(row(rows, key).points.empty()) << key;
    EXPECT_FALSE(row(rows, key).fixed.empty()) << key;
  }
  for (const char* key : {"memoryx.capacity", "core.rate.half_max"}) EXPECT_EQ(row(rows, key).points.size(), 2u) << key;
  EXPECT_NE(sensitivity_text(sensitivity_json(rows, 1)).find("the mapping and the link's channels follow the mesh"), std::string::npos);
}

}  // namespace
}  // namespace wafersim::tools
