// What no run takes: every refusal is one line that names the key, its value and the way out, and the exit code tells whose it is.

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/program.h"

namespace wafersim::tools {
namespace {

using nlohmann::json;

void expect_refused(const std::string& arguments, int exit_code, const std::vector<std::string>& named, const std::string& folder = "/") {
  const tests::Outcome outcome = tests::wafersim(arguments, "cd " + folder + "; ");
  EXPECT_EQ(outcome.exit_code, exit_code) << arguments << "\n" << outcome.err;
  EXPECT_EQ(outcome.out, "") << arguments;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  for (const std::string& part : named) EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " in " << outcome.err;
}

class Rate : public testing::TestWithParam<std::string> {};

TEST_P(Rate, OfNothingOrLessIsRefusedWithWhatIsAllowed) {
  for (const std::string value : {"0", "-1", "\"0 GB/s\"", "\"-3 GB/s\""}) {
    const bool bytes = GetParam().find("bandwidth") != std::string::npos;
    if (value[0] == '"' && !bytes) continue;
    expect_refused("plan main --set " + GetParam() + "='" + value + "'", 2,
                   {"config error: --set " + GetParam() + "=", "expected", "from"});
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, Rate,
                         testing::Values("io.bandwidth", "io.wafer_bandwidth", "memoryx.bandwidth", "memoryx.flash_bandwidth",
                                         "memoryx.optimizer_rate", "swarmx.bandwidth", "core.clock", "core.rate.mixed_fma",
                                         "core.rate.single_fma"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(Batch, ThatSystemsLanesOrMicroBatchesCannotShareIsRefused) {
  expect_refused("plan main --set systems=3", 2, {"systems=3", "does not divide training.batch = 4"});
  expect_refused("plan main --set mapping.micro_batches=3", 2, {"mapping.micro_batches=3", "does not divide the 4 samples"});
  expect_refused("plan main --set systems=2 --set mapping.micro_batches=4", 2, {"mapping.micro_batches=4", "the 2 samples", "a system"});
  expect_refused("plan main --set mapping.lanes=5", 2, {"mapping.lanes=5", "a system has 4 at once"});
  expect_refused("plan main --set mapping.lanes=3 --set mapping.micro_batches=2", 2, {"mapping.lanes=3", "a system has 2 at once"});
}

TEST(Model, ThatExceedsMemoryXIsRefusedWithItsBytesAndTheCapacity) {
  const std::string bytes = "1929216";  // 16 x 120,576 parameters
  for (const std::string command : {"plan main", "run main --set data.text=/etc/passwd --out /tmp/wafersim_never"})
    expect_refused(command + " --set memoryx.capacity=1000000", 3,
                   {"memoryx.capacity = 1000000", bytes, "choose a larger MemoryX or a smaller model"});
}

TEST(Option, ThatDoesNothingOrIsOutOfRangeIsRefused) {
  const std::string sampled = "run gptj-6b-cs2 --steps 1 --out /tmp/wafersim_never ";
  expect_refused(sampled + "--checkpoint-every 2", 2, {"--checkpoint-every 2", "numerics = true"});
  expect_refused(sampled + "--resume", 2, {"--resume", "numerics = true"});
  expect_refused("run main --checkpoint-every 0", 2, {"--checkpoint-every", "0", "range 1 to 1048576"});
  expect_refused("compare a b --rows -1", 2, {"--rows", "-1", "range 0 to 1048576"});
}

TEST(CurrentDirectory, ThatIsGoneIsNamed) {
  const tests::Folder folder("gone");
  expect_refused("plan main", 2, {"config error: the current directory"}, (folder / "").string() + "; mkdir here; cd here; rmdir ../here");
}

class ModelFile : public testing::Test {
 protected:
  void expect_model_refused(const json& model, const std::string& category, const std::vector<std::string>& named) const {
    const json config = {{"machine", "cs2"},
                         {"machine_overrides", {{"fabric.width", 4}, {"fabric.height", 4}}},
                         {"model", {{"hf_config", "model.json"}}},
                         {"data", {{"text", "run.json"}}},
                         {"training", {{"batch", 2}, {"sequence", 8}, {"steps", 1}}}};
    std::ofstream(folder_ / "run.json") << config;
    std::ofstream(folder_ / "model.json") << model;
    std::vector<std::string> parts = named;
    parts.push_back(category + " error: ");
    parts.push_back("model.json: ");
    expect_refused("run run.json", 2, parts, folder_.path().string());
  }

  const tests::Folder folder_{"bad_input"};
};

TEST_F(ModelFile, OfAnotherFamilyOrActivationIsRefusedByFileAndKey) {
  expect_model_refused({{"model_type", "mamba"}}, "unsupported", {"model_type = \"mamba\"", "gpt2, gptj, gpt_neox, llama, opt, bert"});
  expect_model_refused({{"n_layer", 1}}, "config", {"model_type", "required"});
  expect_model_refused({{"model_type", "gpt2"}, {"activation_function", "mish"}}, "unsupported",
                       {"activation_function = \"mish\"", "gelu_new"});
}

TEST_F(ModelFile, ThatWouldTrainAnotherModelIsRefusedByFileAndKey) {
  expect_model_refused({{"model_type", "gpt2"}, {"scale_attn_by_inverse_layer_idx", true}}, "unsupported",
                       {"scale_attn_by_inverse_layer_idx = true", "only false"});
  expect_model_refused({{"model_type", "llama"}, {"rope_scaling", {{"rope_type", "llama3"}, {"factor", 8}}}}, "unsupported",
                       {"rope_scaling"});
  expect_model_refused({{"model_type", "llama"}, {"sliding_window", 4096}}, "config", {"sliding_window = 4096", "unknown key"});
}

}  // namespace
}  // namespace wafersim::tools
