#include "models/machine_sources.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>

#include "models/machine_config.h"
#include "sim/config/reader.h"
#include "sim/config/tree.h"

namespace wafersim::models {
namespace {

MachineSpec read(const nlohmann::json& config, const std::string& preset) {
  const sim::ConfigTree tree(config, "machine.json", "/");
  sim::ConfigReader reader(tree);
  MachineSpec machine = machine_preset(preset);
  read_machine(reader, "", machine);
  reader.finish();
  return machine;
}

using Keys = std::set<std::string>;

Keys keys_of(const std::vector<MachineField>& fields) {
  Keys keys;
  for (const MachineField& field : fields) keys.insert(field.key);
  return keys;
}

const MachineField& field(const std::vector<MachineField>& fields, const std::string& key) {
  return *std::find_if(fields.begin(), fields.end(), [&](const MachineField& f) { return f.key == key; });
}

Keys assumed(const MachineSpec& machine) { return keys_of(assumptions(machine)); }

Keys without(Keys keys, const Keys& others) {
  for (const std::string& key : others) keys.erase(key);
  return keys;
}

TEST(MachineSources, EveryNumberOfEveryPresetHasAUnitAndASourceOrAReason) {
  for (const std::string& name : machine_names()) {
    const std::vector<MachineField> fields = machine_fields(machine_preset(name));
    std::vector<std::string> keys;
    for (const MachineField& field : fields) {
      keys.push_back(field.key);
      EXPECT_NE(field.unit, "") << name << " " << field.key;
      EXPECT_NE(field.text, "") << name << " " << field.key;
      EXPECT_EQ(field.text.find("[A]"), std::string::npos) << name << " " << field.key;
    }
    EXPECT_EQ(keys, machine_keys()) << name;
  }
}

TEST(MachineSources, ValuesAreThoseThatAConfigurationHas) {
  for (const std::string& name : machine_names()) {
    const MachineSpec machine = machine_preset(name);
    nlohmann::json config;
    for (const MachineField& field : machine_fields(machine))
      if (field.value != "null") config[field.key] = nlohmann::json::parse(field.value);
    for (const std::string& other : machine_names()) EXPECT_EQ(machine_to_json(read(config, other)), machine_to_json(machine)) << name;
  }
}

TEST(MachineSources, ReadableQuantitiesReadBackToTheSameMachine) {
  const Keys spelled = {"Hz", "B", "B/s", "s", "/s"};
  for (const std::string& name : machine_names()) {
    const MachineSpec machine = machine_preset(name);
    nlohmann::json config;
    for (const MachineField& field : machine_fields(machine))
      if (spelled.contains(field.unit) && field.value != "null") config[field.key] = field.readable;
    EXPECT_GT(config.size(), 15u);
    EXPECT_EQ(machine_to_json(read(config, name)), machine_to_json(machine)) << config;
  }
}

TEST(MachineSources, NumbersArePrintedWithTheirUnits) {
  const std::vector<MachineField> cs2 = machine_fields(machine_preset("cs2"));
  EXPECT_EQ(field(cs2, "fabric.width").readable, "757 PEs");
  EXPECT_EQ(field(cs2, "core.rate.half").readable, "4 elements/cycle");
  EXPECT_EQ(field(cs2, "core.input_queue_words").readable, "6 6 4 4 2 2 2 2 words");
  EXPECT_EQ(field(cs2, "core.clock").readable, "850 MHz");
  EXPECT_EQ(field(cs2, "io.bandwidth").readable, "none");
}

TEST(MachineSources, AssumptionsAreTheAssumedFields) {
  for (const std::string& name : machine_names()) {
    Keys expected;
    for (const MachineField& field : machine_fields(machine_preset(name)))
      if (field.assumed) expected.insert(field.key);
    EXPECT_EQ(assumed(machine_preset(name)), expected);
    EXPECT_GT(expected.size(), 30u);
  }
}

TEST(MachineSources, OfACs1HardlyAnythingIsPublic) {
  const MachineSpec cs1 = machine_preset("cs1");
  EXPECT_EQ(without(keys_of(machine_fields(cs1)), assumed(cs1)),
            (Keys{"sram.bytes", "io.bandwidth", "io.wafer_bandwidth", "energy.link_word_pj", "energy.rated_power_w"}));
}

TEST(MachineSources, OfACs3AreAssumedWhatItIsTakenToShareWithACs2) {
  const Keys cs2 = assumed(machine_preset("cs2")), cs3 = assumed(machine_preset("cs3"));
  EXPECT_EQ(without(cs3, cs2), (Keys{"fabric.hop_cycles", "fabric.ramp_cycles", "core.clock", "core.issue_cycles", "swarmx.fanout",
                                     "swarmx.bandwidth", "energy.busy_cycle_pj"}));
  EXPECT_EQ(without(cs2, cs3), (Keys{"core.output_queue_words", "io.channel_row_pitch"}));
}

TEST(MachineSources, WhatIsTakenFromACs2HasItsValue) {
  const std::vector<MachineField> cs2 = machine_fields(machine_preset("cs2"));
  std::size_t taken = 0;
  for (const std::string& name : machine_names()) {
    const std::vector<MachineField> fields = machine_fields(machine_preset(name));
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!fields[i].text.starts_with("as WSE-2's") && !fields[i].text.starts_with("as CS-2's")) continue;
      EXPECT_EQ(fields[i].value, cs2[i].value) << name << " " << fields[i].key;
      ++taken;
    }
  }
  EXPECT_GT(taken, 20u);
}

TEST(MachineSources, NumbersOfTheUsersAreGivenAndNotAssumed) {
  for (const char* key : {"core.output_switch_cycles", "memoryx.capacity", "fabric.width", "io.latency"}) {
    const MachineSpec cs1 = machine_preset("cs1");
    ASSERT_TRUE(assumed(cs1).contains(key));
    const MachineSpec changed = read({{key, 1}}, "cs1");
    EXPECT_EQ(without(assumed(cs1), assumed(changed)), Keys{key});
    for (const MachineField& f : machine_fields(changed)) EXPECT_EQ(f.text == "given by the configuration", f.key == key) << f.key;
  }
  EXPECT_EQ(assumed(read({{"core.output_switch_cycles", 10}}, "cs2")), assumed(machine_preset("cs2"))) << "the preset's own";
  const MachineField link = field(machine_fields(read({{"io.bandwidth", "15 GB/s"}}, "cs2")), "io.bandwidth");
  EXPECT_EQ(link.readable, "15 GB/s");
  EXPECT_EQ(link.text, "given by the configuration");
}

TEST(MachineSources, OfAMachineWithANameOfItsOwnAreThoseOfTheSpecsDefaults) {
  MachineSpec own;
  own.name = "own";
  EXPECT_EQ(assumed(own), assumed(machine_preset("cs2")));
  own.core.output_switch_cycles = 3;
  EXPECT_EQ(without(assumed(machine_preset("cs2")), assumed(own)), Keys{"core.output_switch_cycles"});
}

}  // namespace
}  // namespace wafersim::models
