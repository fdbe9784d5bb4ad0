#include "models/machine.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>

#include "models/machine_config.h"
#include "sim/config/reader.h"
#include "sim/config/tree.h"
#include "sim/error.h"
#include "sim/json_file.h"

namespace wafersim::models {
namespace {

MachineSpec read(const std::string& text, const std::string& preset = "cs2") {
  const sim::ConfigTree tree(sim::parse_json(text, "machine.json"), "machine.json", "/");
  sim::ConfigReader reader(tree);
  MachineSpec machine = machine_preset(preset);
  read_machine(reader, "", machine);
  reader.finish();
  return machine;
}

std::string failure(const std::string& text) {
  try {
    read(text);
  } catch (const sim::Error& error) {
    return error.what();
  }
  return "";
}

TEST(Machine, PresetsAreThePublishedSystems) {
  const MachineSpec cs2 = machine_preset("cs2"), cs3 = machine_preset("cs3");
  EXPECT_EQ(cs2.fabric.width * cs2.fabric.height, 757 * 996);
  EXPECT_EQ(cs2.core.clock, 850e6);
  EXPECT_EQ(cs2.sram.bytes, 49152);
  EXPECT_EQ(cs3.fabric.width * cs3.fabric.height, 762 * 1172);
  EXPECT_EQ(cs3.core.rate.mixed_fma, 2 * cs2.core.rate.mixed_fma);
  EXPECT_EQ(cs3.core.accumulator_cache_bytes, 512);
  for (const auto& name : machine_names()) EXPECT_EQ(machine_preset(name).name, name);
}

TEST(Machine, WrittenAsJsonReadsToTheSameMachineOverAnyPreset) {
  for (const auto& name : machine_names()) {
    MachineSpec machine = machine_preset(name);
    machine.io.bandwidth_override = 12.5e6;
    const auto written = machine_to_json(machine);
    for (const auto& other : machine_names()) EXPECT_EQ(machine_to_json(read(written.dump(), other)), written);
  }
}

// Writes another value under every key and expects every field to change: no field is unreachable, no two keys share one.
TEST(Machine, EveryKeyReachesAFieldOfItsOwn) {
  const nlohmann::json standard = nlohmann::json::parse(machine_to_json(machine_preset("cs2")).dump()).flatten();
  std::set<std::string> changed;
  for (const std::string& key : machine_keys()) {
    nlohmann::json value = 1024;
    if (key.find("bytes") != std::string::npos) value = 8;
    if (key == "sram.bytes") value = 4096;
    if (key == "core.accumulator_cache_bytes") value = 1024;
    if (key.starts_with("core.rate")) value = 3;
    if (key == "core.clock") value = "1.1 GHz";
    if (key.ends_with("latency")) value = "3 us";
    if (key == "memoryx.dram_page" || key == "memoryx.flash_page") value = "1 KiB";
    if (key.ends_with("queue_words") && key.starts_with("core.")) value = {9, 9, 9, 9, 9, 9, 9, 9};
    if (key == "sram.instruction_bytes" || key == "sram.descriptor_bytes") value = 16;
    const auto now = nlohmann::json::parse(machine_to_json(read(nlohmann::json{{key, value}}.dump())).dump()).flatten();
    std::size_t differences = 0;
    for (const auto& [path, field] : now.items()) {
      if (standard.contains(path) && standard[path] == field) continue;
      ++differences;
      EXPECT_TRUE(changed.insert(path).second) << path << " changed by two keys";
    }
    EXPECT_EQ(differences, value.is_array() ? 8u : 1u) << key;
  }
  EXPECT_EQ(changed.size(), standard.size() + 1) << "every field and io.bandwidth, which is absent by default";
}

TEST(Machine, BandwidthOverridesTheSumAndWaferBandwidthTheWhole) {
  EXPECT_EQ(read(R"({"io.bandwidth": "15 GB/s"})").io.bandwidth_override, 15e9);
  EXPECT_EQ(read(R"({"io.bandwidth": "15 GB/s"})").io.bandwidth, 150e9);
  EXPECT_EQ(read(R"({"io": {"wafer_bandwidth": "1.2 Tb/s"}})").io.bandwidth, 150e9);
}

TEST(Machine, RefusesNegativeZeroAndAbsurdSizes) {
  EXPECT_EQ(failure(R"({"fabric.width": -1})"), "machine.json: fabric.width = -1: expected an integer from 1 to 4096");
  EXPECT_EQ(failure(R"({"fabric.width": 0})"), "machine.json: fabric.width = 0: expected an integer from 1 to 4096");
  EXPECT_EQ(failure(R"({"fabric.width": 1000000})"), "machine.json: fabric.width = 1000000: expected an integer from 1 to 4096");
  EXPECT_NE(failure(R"({"core.clock": "0 Hz"})"), "");
  EXPECT_NE(failure(R"({"io.bandwidth": 0})"), "");
  EXPECT_NE(failure(R"({"sram.bytes": "-48 KiB"})"), "");
  EXPECT_NE(failure(R"({"sram.bytes": "1.0001 KiB"})"), "") << "not a whole number of bytes";
  EXPECT_NE(failure(R"({"core.input_queue_words": [6, 6]})"), "");
}

TEST(Machine, RefusesAnUnknownKeyNamingTheNearest) {
  EXPECT_NE(failure(R"({"fabric": {"widht": 16}})")
                .find("machine.json: fabric.widht = 16: unknown key, the nearest known key is fabric.width; known in fabric"),
            std::string::npos);
}

}  // namespace
}  // namespace wafersim::models
