#include "workloads/run_spec.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "models/machine_config.h"
#include "sim/config/tree.h"
#include "sim/error.h"
#include "workloads/presets.h"

namespace wafersim::workloads {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class RunSpecTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "elsewhere");
    std::ofstream(folder_ / "corpus.txt") << "some text";
    std::ofstream(folder_ / "train.bin") << "tokens";
    std::ofstream(folder_ / "elsewhere" / "corpus.txt") << "other text";
    std::ofstream(folder_ / "config.json")
        << R"({"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "vocab_size": 256})";
    config_ = json::parse(
        R"({"machine": "cs2", "machine_overrides": {"fabric.width": 16, "fabric.height": 8}, "model": {"hf_config": "config.json"},
      "data": {"text": "corpus.txt"}, "training": {"batch": 4, "sequence": 32, "steps": 20}})");
  }
  void TearDown() override { fs::remove_all(folder_); }

  RunSpec read(const json& config, const std::vector<std::string>& settings = {}) const {
    std::ofstream(folder_ / "run.json") << config;
    std::vector<sim::Override> overrides;
    overrides.reserve(settings.size());
    for (const auto& setting : settings) overrides.push_back(sim::parse_override(setting));
    return read_run_spec((folder_ / "run.json").string(), overrides, folder_ / "elsewhere");
  }
  // "category: message", the folder left out.
  std::string failure(const json& config, const std::vector<std::string>& settings = {}) const {
    try {
      read(config, settings);
    } catch (const sim::Error& error) {
      std::string text = std::string(sim::name(error.category())) + ": " + error.what();
      const std::string folder = folder_.string() + "/";
      for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder)) text.erase(at, folder.size());
      EXPECT_EQ(text.find('\n'), std::string::npos);
      return text;
    }
    return "";
  }
  std::string failure_with(const std::string& pointer, const json& value) const {
    json config = config_;
    config[json::json_pointer(pointer)] = value;
    return failure(config);
  }

  fs::path folder_ = fs::temp_directory_path() / ("wafersim_run_spec_" + std::to_string(::getpid()));
  json config_;
};

TEST_F(RunSpecTest, FillsInEveryDefault) {
  const RunSpec spec = read(config_);
  EXPECT_EQ(spec.machine.name, "cs2");
  EXPECT_EQ(spec.machine.fabric.width, 16);
  EXPECT_EQ(spec.model.shape.width, 32);
  EXPECT_EQ(spec.model_name, "config");
  EXPECT_EQ(spec.data.path, folder_ / "corpus.txt");
  EXPECT_EQ(spec.training.update.optimizer.kind, memoryx::OptimizerSpec::Kind::adamw);
  EXPECT_EQ(spec.training.update.optimizer.beta2, 0.95);
  EXPECT_EQ(spec.training.update.clip, 0.0);
  EXPECT_EQ(spec.training.update.loss_scale.initial, 65536.0);
  EXPECT_EQ(spec.training.update.schedule.decay_steps, 20);
  EXPECT_EQ(spec.mapping.rectangle.width, 16) << "a mesh of the user's is mapped whole";
  EXPECT_EQ(spec.mapping.rectangle.height, 8);
  EXPECT_EQ(spec.mapping.lanes, 0);
  EXPECT_EQ(spec.dtype, sim::Dtype::f16);
  EXPECT_EQ(spec.fidelity, Fidelity::wavelet);
  EXPECT_EQ(spec.seed, 1u);
  EXPECT_TRUE(spec.initial_weights.empty());
}

TEST_F(RunSpecTest, WritesACompleteConfigurationThatReadsToTheSameRun) {
  json config = config_;
  config["training"]["clip"] = 1.0;
  config["training"]["optimizer"] = {{"kind", "sgd"}, {"lr", 0.1}, {"weight_decay", 0.01}};
  config["training"]["schedule"] = {{"kind", "cosine"}, {"warmup_steps", 3}, {"min_lr", 0.001}};
  config["mapping"] = {{"lanes", 2}, {"tokens_per_pe", 8}, {"features_per_pe", 4}};
  config["weights"] = {{"final", "final.safetensors"}};
  config["machine_overrides"]["io.bandwidth"] = "1 GB/s";
  for (const char* dtype : {"fp16", "fp32", "bf16"}) {
    config["dtype"] = dtype;
    const auto written = run_spec_to_json(read(config, {"threads=2", "seed=7", "core.clock=1.1 GHz"}));
    EXPECT_EQ(run_spec_to_json(read(json::parse(written.dump()))), written);
    EXPECT_EQ(written["machine_overrides"]["core"]["clock"], 1.1e9);
    EXPECT_EQ(written["weights"]["final"], (folder_ / "final.safetensors").string());
    EXPECT_EQ(written["seed"], 7);
    EXPECT_EQ(written["mapping"]["lanes"], 2);
    EXPECT_EQ(written["training"]["optimizer"]["kind"], "sgd");
    EXPECT_EQ(written["training"]["schedule"]["warmup_steps"], 3);
  }
}

TEST_F(RunSpecTest, TakesDottedNestedAndShortMachineKeysAsTheSame) {
  json nested = config_;
  nested["machine_overrides"] = {{"fabric", {{"width", 16}, {"height", 8}}}};
  EXPECT_EQ(run_spec_to_json(read(nested)), run_spec_to_json(read(config_)));
  EXPECT_EQ(read(config_, {"fabric.width=4"}).machine.fabric.width, 4);
  EXPECT_EQ(read(config_, {"machine_overrides.fabric.width=4"}).machine.fabric.width, 4);
  EXPECT_EQ(read(config_, {R"(machine_overrides={"fabric.width": 4})"}).machine.fabric.width, 4);
}

TEST_F(RunSpecTest, ResolvesPathsOfOverridesAgainstTheWorkingDirectory) {
  EXPECT_EQ(read(config_, {"data.text=corpus.txt"}).data.path, folder_ / "elsewhere" / "corpus.txt");
  EXPECT_EQ(failure(config_, {"data.text=none.txt"}), "config: --set data.text=none.txt: no such file: elsewhere/none.txt");
}

TEST_F(RunSpecTest, LetsAnOverrideNameAnotherKindOfDataOrModel) {
  const RunSpec tokens = read(config_, {"data.tokens=../train.bin"});
  EXPECT_EQ(tokens.data.kind, DataSpec::Kind::tokens);
  EXPECT_EQ(read(config_, {"model.preset=gpt2-bytes"}).model.shape.width, 64);
  EXPECT_EQ(read(config_, {"model.config.n_layer=5"}).model.shape.layers, 5);
  EXPECT_EQ(failure_with("/data/tokens", "train.bin"),
            "config: run.json: data.tokens = \"train.bin\": give either data.text or data.tokens");
  EXPECT_EQ(failure_with("/model/preset", "gpt2"),
            "config: run.json: model.preset = \"gpt2\": give either model.preset or model.hf_config");
}

TEST_F(RunSpecTest, RefusesAFolderForAFileAndAValueForTheModelsKeys) {
  EXPECT_EQ(failure(config_, {"data.text=.."}).substr(0, 53), "config: --set data.text=..: is a folder, not a file: ");
  EXPECT_EQ(failure_with("/model/config", 5),
            "config: run.json: model.config = 5: expected an object with the keys of a Hugging Face config.json");
}

TEST_F(RunSpecTest, TakesAnInlineModelAndPointsAtItsKeys) {
  config_["model"] = {{"config", {{"model_type", "gpt2"}, {"n_embd", 32}, {"n_head", 4}, {"n_layer", 0}}}};
  EXPECT_EQ(failure(config_), "config: run.json: model.config.n_layer = 0: expected an integer from 1 to 4096");
  EXPECT_EQ(failure(config_, {"model.config.n_layer=-1"}), "config: --set model.config.n_layer=-1: expected an integer from 1 to 4096");
  EXPECT_EQ(read(config_, {"model.config.n_layer=1"}).model_name, "inline");
}

TEST_F(RunSpecTest, RequiresMachineModelDataBatchSequenceAndSteps) {
  for (const char* pointer : {"/machine", "/model", "/data", "/training/batch", "/training/sequence", "/training/steps"}) {
    const json without = config_.patch({{{"op", "remove"}, {"path", pointer}}});
    EXPECT_NE(failure(without).find("is required and missing"), std::string::npos) << pointer;
  }
}

TEST_F(RunSpecTest, RefusesWhatIsWrongNamingKeyValueAndWhatIsAllowed) {
  EXPECT_TRUE(failure_with("/training/bacth", 4)
                  .starts_with("config: run.json: training.bacth = 4: unknown key, the nearest known key is training.batch;"));
  EXPECT_EQ(failure_with("/machine", "cs4"), "config: run.json: machine = \"cs4\": expected one of cs1, cs2, cs3; nearest is cs1");
  EXPECT_EQ(failure_with("/training/batch", 0), "config: run.json: training.batch = 0: expected an integer from 1 to 1048576");
  EXPECT_EQ(failure_with("/training/batch", "4"), "config: run.json: training.batch = \"4\": expected an integer from 1 to 1048576");
  EXPECT_EQ(failure_with("/training/sequence", 65), "config: run.json: training.sequence = 65: is beyond the 64 positions of the model");
  EXPECT_EQ(failure_with("/dtype", "fp8"), "config: run.json: dtype = \"fp8\": expected one of fp16, fp32, bf16");
  EXPECT_TRUE(failure_with("/machine_overrides/core.clock", "1 ms")
                  .starts_with("config: run.json: machine_overrides.core.clock = \"1 ms\": wrong unit"));
  EXPECT_TRUE(failure_with("/mapping", {{"rectangle", {{"width", 17}, {"height", 8}}}})
                  .starts_with("config: run.json: mapping.rectangle.width = 17"));
  EXPECT_TRUE(failure_with("/data/text", "absent.txt").starts_with("config: run.json: data.text = \"absent.txt\": no such file"));
  EXPECT_TRUE(failure_with("/training/schedule", {{"min_lr", 1}}).starts_with("config: run.json: training.schedule.min_lr = 1: is above"));
  EXPECT_TRUE(failure(config_, {"lr=1"}).find("nearest known key is training.optimizer.lr") != std::string::npos);
  EXPECT_TRUE(failure(config_, {"fabric.wdith=4"})
                  .starts_with("config: --set fabric.wdith=4: unknown key, the nearest known key is machine_overrides.fabric.width"));
}

TEST_F(RunSpecTest, RefusesAnOverrideThatNothingWouldRead) {
  EXPECT_EQ(failure(config_, {"training.optimizer.kind=sgd", "training.optimizer.beta1=0.8"}),
            "config: --set training.optimizer.beta1=0.8: has no effect with the optimizer sgd");
  EXPECT_EQ(failure(config_, {"training.schedule.min_lr=1e-5"}),
            "config: --set training.schedule.min_lr=1e-5: has no effect with the schedule constant");
  EXPECT_EQ(failure(config_, {"dtype=fp32", "training.loss_scale.initial=1"}),
            "config: --set training.loss_scale.initial=1: has no effect with dtype fp32");
  EXPECT_EQ(failure(config_, {"dtype=bf16", "training.loss_scale.dynamic=true"}),
            "config: --set training.loss_scale.dynamic=true: has no effect with dtype bf16");
}

TEST_F(RunSpecTest, PinsMicroBatchesThatDivideTheBatchAndRecompute) {
  const RunSpec free = read(config_);
  EXPECT_EQ(free.mapping.micro_batches, 0);
  EXPECT_FALSE(free.mapping.recompute.has_value());
  const int batch = free.training.batch;
  const RunSpec pinned = read(config_, {"mapping.micro_batches=" + std::to_string(batch), "mapping.recompute=false"});
  EXPECT_EQ(pinned.mapping.micro_batches, batch);
  EXPECT_EQ(pinned.mapping.recompute, Recompute{});
  EXPECT_EQ(run_spec_to_json(pinned)["mapping"]["recompute"], false);
  EXPECT_EQ(failure(config_, {"mapping.micro_batches=" + std::to_string(batch + 1)}),
            "config: --set mapping.micro_batches=" + std::to_string(batch + 1) + ": does not divide the " + std::to_string(batch) +
                " samples of a step on a system");
}

TEST_F(RunSpecTest, PinsRecomputeOfAllLayersOrOfSome) {
  config_["model"]["config"]["n_layer"] = 3;
  const auto pinned = [&](const std::string& value) { return *read(config_, {"mapping.recompute=" + value}).mapping.recompute; };
  EXPECT_EQ(pinned("true"), (Recompute{true, true, true}));
  EXPECT_EQ(pinned("[2, 0]"), (Recompute{true, false, true}));
  EXPECT_EQ(recomputed_layers(pinned("[]")), 0);
  const RunSpec some = read(config_, {"mapping.recompute=[2,0]"});
  EXPECT_EQ(run_spec_to_json(some)["mapping"]["recompute"], nlohmann::json({0, 2}));
  for (const char* value : {"[0,3]", "[-1]", "[0.5]", "2", "[true]"})
    EXPECT_EQ(failure(config_, {std::string("mapping.recompute=") + value}),
              std::string("config: --set mapping.recompute=") + value +
                  ": expected true, false or an array of the layers whose activations are computed again, of 0 to 2");
}

TEST_F(RunSpecTest, RefusesWhatCannotGoTogether) {
  EXPECT_EQ(failure(config_, {"fidelity=bound"}),
            "unsupported: --set fidelity=bound: nothing is simulated: `wafersim plan` prints the bound");
  EXPECT_EQ(failure(config_, {"systems=3", "fidelity=sampled"}),
            "config: --set systems=3: does not divide training.batch = 4: every system trains the same share");
  EXPECT_EQ(failure_with("/numerics", "off"),
            "config: run.json: numerics = \"off\": wavelets carry the numbers: off needs fidelity = sampled");
  EXPECT_EQ(failure(config_, {"numerics=off", "fidelity=sampled", "data.text=run.json"}).find("config: --set data.text="), 0u);
  config_.erase("data");
  EXPECT_NE(failure(config_).find("data"), std::string::npos);
  EXPECT_FALSE(read(config_, {"fidelity=sampled"}).numerics);
  EXPECT_TRUE(read(config_, {"fidelity=sampled"}).data.path.empty());
}

// Heads of 8 features.
TEST_F(RunSpecTest, RefusesPinsThatNoMeshCouldFollowAndNamesTheNearest) {
  EXPECT_EQ(
      failure_with("/mapping/features_per_pe", 9),
      "config: run.json: mapping.features_per_pe = 9: heads of 8 features in whole columns give other numbers; the nearest are 8, 7, 6");
  EXPECT_EQ(failure(config_, {"mapping.features_per_pe=300"}),
            "config: --set mapping.features_per_pe=300: heads of 8 features in whole columns give other numbers; the nearest are 8, 7, 6");
  EXPECT_EQ(failure_with("/mapping/tokens_per_pe", 33),
            "config: run.json: mapping.tokens_per_pe = 33: a sample has 32 tokens (training.sequence); give at most as many");
  EXPECT_EQ(read(config_, {"mapping.features_per_pe=6"}).mapping.features_per_pe, 6);
}

TEST_F(RunSpecTest, SharesTheBatchAmongSystems) {
  EXPECT_EQ(read(config_, {"systems=2"}).fidelity, Fidelity::wavelet);
  EXPECT_TRUE(read(config_, {"systems=2", "fidelity=sampled"}).numerics);
  const int batch = read(config_).training.batch;
  const auto width = [](int pes) { return "fabric.width=" + std::to_string(pes); };
  EXPECT_EQ(read(config_, {"fabric.height=32", width(128)}).fidelity, Fidelity::wavelet);
  EXPECT_EQ(read(config_, {"fabric.height=32", width(128), "systems=" + std::to_string(batch)}).fidelity, Fidelity::sampled);
  config_.erase("data");
  const RunSpec spec = read(config_, {"fidelity=sampled", "systems=2"});
  EXPECT_EQ(spec.systems, 2);
  EXPECT_EQ(spec.batch_per_system() * 2, spec.training.batch);
  EXPECT_EQ(run_spec_to_json(spec)["systems"], 2);
  EXPECT_EQ(run_spec_to_json(spec)["numerics"], "off");
}

TEST_F(RunSpecTest, MapsAWholeWaferWithoutWhatHostIoKeepsAndSamplesItByDefault) {
  config_.erase("machine_overrides");
  const RunSpec spec = read(config_);
  EXPECT_EQ(spec.mapping.rectangle.width, 750);
  EXPECT_EQ(spec.mapping.rectangle.height, 994);
  EXPECT_EQ(spec.fidelity, Fidelity::sampled);
  EXPECT_EQ(read(config_, {"machine=cs3"}).mapping.rectangle.height, 1170);
}

TEST_F(RunSpecTest, FindsEveryPresetByNameAndSaysWhichThereAre) {
  ASSERT_NE(find_preset(run_presets(), "main"), nullptr);
  for (const auto& preset : model_presets()) EXPECT_NO_THROW(read(config_, {"model.preset=" + preset.name})) << preset.name;
  EXPECT_EQ(find_preset(model_presets(), "main"), nullptr);
  try {
    read_run_spec("mian", {}, folder_);
    FAIL();
  } catch (const sim::Error& error) {
    EXPECT_EQ(std::string(error.what()).substr(0, 46), "mian: no such file, nor a preset; presets are ");
  }
}

TEST_F(RunSpecTest, PresetMainIsTheMainJob) {
  const RunSpec spec = read_run_spec("main", {}, folder_);
  EXPECT_EQ(spec.machine.fabric.width * spec.machine.fabric.height, 256);
  EXPECT_EQ(spec.model.shape.layers, 2);
  EXPECT_EQ(spec.model.shape.width, 64);
  EXPECT_EQ(spec.model.shape.heads, 4);
  EXPECT_EQ(spec.model.shape.vocabulary, 256);
  EXPECT_EQ(spec.training.sequence, 32);
  EXPECT_EQ(spec.training.batch, 4);
  EXPECT_EQ(spec.training.steps, 20);
  EXPECT_EQ(spec.dtype, sim::Dtype::f16);
  EXPECT_EQ(spec.fidelity, Fidelity::wavelet);
}

}  // namespace
}  // namespace wafersim::workloads
