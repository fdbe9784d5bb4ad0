// The real program, as a user runs it: `wafersim run` on small models against the untimed reference, its outputs and its failures.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/config/tree.h"
#include "tests/support/program.h"
#include "tests/support/run_results.h"
#include "tools/trainer/weights.h"
#include "workloads/data.h"
#include "workloads/mapping.h"
#include "workloads/masked_tokens.h"
#include "workloads/reference/reference_trainer.h"
#include "workloads/safetensors.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

using tests::contents, tests::Outcome;

// Of one layer; gpt2's keys are taken out by null, which stands for the default.
json model_of(const char* family, const char* inner, json more) {
  json config = {{"model_type", family},
                 {"num_hidden_layers", 1},
                 {"hidden_size", 8},
                 {"num_attention_heads", 2},
                 {inner, 20},
                 {"n_layer", nullptr},
                 {"n_embd", nullptr},
                 {"n_head", nullptr},
                 {"max_position_embeddings", 8},
                 {"n_positions", nullptr},
                 {"initializer_range", nullptr}};
  config.update(more);
  return {{"model", {{"config", config}}}};
}

// A folder with a small model's configuration, config.json, and its tokens.
class Run : public testing::Test {
 protected:
  Run() {
    std::ofstream tokens(folder_ / "tokens.bin", std::ios::binary);
    for (int k = 0; k < 400; ++k) {
      const std::uint16_t token = static_cast<std::uint16_t>((k * k + 3 * k) % 29);
      tokens.write(reinterpret_cast<const char*>(&token), sizeof token);
    }
    write_config(json::object());
  }

  void write_config(const json& change) {
    json config = {{"machine", "cs2"},
                   {"machine_overrides", {{"fabric.width", 4}, {"fabric.height", 4}}},
                   {"model",
                    {{"name", "tiny"},
                     {"config",
                      {{"model_type", "gpt2"},
                       {"n_layer", 1},
                       {"n_embd", 8},
                       {"n_head", 2},
                       {"n_positions", 8},
                       {"vocab_size", 32},
                       {"initializer_range", 0.1}}}}},
                   {"data", {{"tokens", "tokens.bin"}}},
                   {"training", {{"batch", 2}, {"sequence", 8}, {"steps", 3}, {"clip", 1.0}}},
                   {"seed", 3}};
    config.merge_patch(change);
    std::ofstream(folder_ / "tiny.json") << config;
  }

  Outcome wafersim(const std::string& arguments, const std::string& before = "") const {
    return tests::wafersim(arguments, "cd " + folder_.path().string() + "; " + before);
  }

  json report(const std::string& run) const { return json::parse(contents(folder_ / run / "report.json")); }

  std::map<std::string, std::string> results(const std::string& run) const { return tests::run_results(folder_ / run); }

  void expect_refused(const std::string& arguments, int exit_code, const std::string& named) const {
    const Outcome outcome = wafersim(arguments);
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find(named), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }

  const tests::Folder folder_{"run"};
};

struct Model {
  const char* name;
  json change;
};
void PrintTo(const Model& model, std::ostream* out) { *out << model.name; }

class TrainedModel : public Run, public testing::WithParamInterface<Model> {};

TEST_P(TrainedModel, HasTheLossesGradientsAndWeightsOfTheReferenceToTheBit) {
  write_config(GetParam().change);
  const Outcome outcome = wafersim("run tiny.json --out run");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json result = report("run");

  const workloads::RunSpec spec = workloads::read_run_spec((folder_ / "tiny.json").string(), {}, folder_.path());
  const workloads::ModelShape& shape = spec.model.shape;
  const workloads::LoweringSpec lowering = workloads::lowering_spec(workloads::choose_mapping(spec, shape, spec.machine), spec, shape);
  memoryx::ParameterStore store(workloads::parameter_table(shape));
  store.initialise(spec.seed, spec.model.initializer_range);
  workloads::reference::ReferenceTrainer reference(lowering, spec.training.update, store);
  const workloads::Tokens tokens = workloads::read_token_file(spec.data.path);
  ASSERT_EQ(result["loss"].size(), 3u);
  for (std::uint64_t s = 0; s < 3; ++s) {
    const workloads::Batch batch = workloads::training_batch(tokens, shape, spec.seed, s, spec.training.batch, spec.training.sequence);
    EXPECT_EQ(result["loss"][s].get<double>(), reference.step(batch.inputs, batch.targets).loss) << "step " << s;
  }
  EXPECT_EQ(result["digests"], json(digests(reference.store())));
}

INSTANTIATE_TEST_SUITE_P(
    Small, TrainedModel,
    testing::Values(Model{"Fp32", {{"dtype", "fp32"}}}, Model{"Fp16", {{"dtype", "fp16"}}},
                    Model{"Fp16MicroBatchesRecomputed", {{"dtype", "fp16"}, {"mapping", {{"micro_batches", 2}, {"recompute", true}}}}},
                    Model{"Fp16OneLayerOfTwoRecomputed",
                          {{"dtype", "fp16"}, {"model", {{"config", {{"n_layer", 2}}}}}, {"mapping", {{"recompute", json::array({1})}}}}},
                    Model{"Fp16PaddedInLanes",
                          {{"dtype", "fp16"},
                           {"machine_overrides", {{"fabric.width", 6}, {"fabric.height", 5}}},
                           {"mapping", {{"lanes", 2}}},
                           {"model", {{"config", {{"n_embd", 10}, {"n_head", 1}, {"vocab_size", 31}}}}},
                           {"training", {{"batch", 3}, {"sequence", 7}}}}},
                    Model{"Opt", model_of("opt", "ffn_dim", {{"init_std", 0.1}})},
                    Model{"Bert", model_of("bert", "intermediate_size", {{"initializer_range", 0.1}})}),
    [](const auto& test) { return test.param.name; });

TEST_F(Run, GivesTheSameBytesForAnyThreadsAndBlocks) {
  ASSERT_EQ(wafersim("run tiny.json --out one --threads 1").exit_code, 0);
  const auto expected = results("one");
  EXPECT_EQ(expected.size(), 6u);
  for (const std::string options :
       {"--threads 1 --block 16x16", "--threads 2 --block 1x1", "--threads 2 --block 3x5", "--threads 1 --block 4x4"}) {
    ASSERT_EQ(wafersim("run tiny.json --out other " + options).exit_code, 0) << options;
    for (const auto& [name, bytes] : results("other")) EXPECT_TRUE(bytes == expected.at(name)) << name << " with " << options;
  }
}

TEST_F(Run, GivesTheSameBytesWhenItsConfigIsRunAgain) {
  ASSERT_EQ(wafersim("run tiny.json --out first --set training.optimizer.lr=3e-3 --steps 2").exit_code, 0);
  const Outcome again = wafersim("run first/config.json --out second");
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(results("first"), results("second"));
}

TEST_F(Run, SaysThatDropoutIsIgnoredAndKeepsItInItsConfig) {
  write_config({{"model", {{"config", {{"attn_pdrop", 0.1}, {"embd_pdrop", 0.0}}}}}});
  const std::string line = "attn_pdrop = 0.1: dropout is not applied";
  const Outcome outcome = wafersim("run tiny.json --out run");
  EXPECT_TRUE(outcome.err.starts_with("wafersim: ignored: " + line + "\n")) << outcome.err;
  EXPECT_EQ(report("run")["ignored"], json::array({line}));
  ASSERT_EQ(wafersim("run run/config.json --out again").exit_code, 0);
  EXPECT_EQ(results("run"), results("again"));
}

TEST_F(Run, ReportsAConsistentStep) {
  ASSERT_EQ(wafersim("run tiny.json --out run").exit_code, 0);
  const json r = report("run");
  for (const char* key : {"schema", "version", "machine", "model", "parameters", "fidelity", "numerics", "mapping", "loss", "skipped_steps",
                          "step", "throughput", "breakdown", "macs", "links", "memory", "digests", "host", "assumptions"})
    EXPECT_TRUE(r.contains(key)) << key;
  double cycles = 0, pe_cycles = 0;
  bool kernel_switch = false;
  // Every PE adds the partial sums of its tokens, with a cycle of issue, to each of a layer's 96 outputs, some of them while its task waits
  // for the datapath; words of control are few.
  const double sums = 16 * 96 * (1.0 + r["mapping"]["tokens_per_pe"].get<double>());
  for (const json& row : r["breakdown"]) {
    EXPECT_LE(row["reduce"].get<double>(), row["busy"].get<double>()) << row;
    if (row["kernel"] == "linear" && row["phase"] == "forward") {
      EXPECT_NEAR(row["reduce"].get<double>() / sums, 0.95, 0.15);
    }
    cycles += row["cycles"].get<double>();
    pe_cycles += row["busy"].get<double>() + row["idle"].get<double>();
    for (const json& stall : row["stalls"]) pe_cycles += stall.get<double>();
    EXPECT_LE(row["bound_cycles"].get<double>(), row["cycles"].get<double>()) << row;
    kernel_switch |= row["kernel"] == "kernel_switch" && row["cycles"].get<double>() > 0;
  }
  EXPECT_TRUE(kernel_switch);
  const double step = r["step"]["cycles"];
  EXPECT_LE(r["macs"]["total"].get<double>(), r["step"]["peaks"]["macs_per_cycle"].get<double>() * step);
  EXPECT_LE(r["links"]["in"]["bytes"].get<double>(), r["step"]["peaks"]["link_bytes_per_cycle"].get<double>() * step);
  EXPECT_NEAR(cycles, step, 1e-6 * step);
  EXPECT_NEAR(pe_cycles, 16 * step, 1e-6 * step);
  EXPECT_LE(r["step"]["bound_cycles"].get<double>(), step);
  // 16 tokens times the linears' weights: 8 x (24 + 8 + 32 + 32) and the unembedding's 8 x 32.
  EXPECT_GE(r["macs"]["forward"].get<double>(), 16 * 8 * (96 + 32));
  std::istringstream steps(contents(folder_ / "run/steps.csv"));
  std::string line;
  int rows = 0;
  while (std::getline(steps, line)) ++rows;
  EXPECT_EQ(rows, 4);
}

TEST_F(Run, ReportsArraysOfSramThatLieApartWhileTheyLive) {
  ASSERT_EQ(wafersim("run tiny.json --out run").exit_code, 0);
  const json memory = report("run")["memory"];
  struct Box {
    int begin, end, low, high;
  };
  std::vector<Box> boxes;
  int highest = 0;
  for (const json& array : memory["sram"]) {
    const json& stages = array["stages"];
    EXPECT_EQ(stages[0][1], array["bytes"]);
    for (std::size_t i = 0; i < stages.size(); ++i) {
      const int end = i + 1 < stages.size() ? stages[i + 1][0].get<int>() : array["until"].get<int>();
      const int low = array["address"], bytes = stages[i][1];
      boxes.push_back({stages[i][0], end, low, low + bytes});
      EXPECT_LT(boxes.back().begin, end) << array;
      highest = std::max(highest, low + bytes);
    }
  }
  EXPECT_EQ(highest, memory["sram_peak_bytes_per_pe"].get<int>());
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_FALSE(boxes[i].begin < boxes[j].end && boxes[j].begin < boxes[i].end && boxes[i].low < boxes[j].high &&
                   boxes[j].low < boxes[i].high);
}

TEST_F(Run, PrintsASummaryOrTheReport) {
  const Outcome summary = wafersim("run tiny.json");
  ASSERT_EQ(summary.exit_code, 0) << summary.err;
  const auto lines = std::count(summary.out.begin(), summary.out.end(), '\n');
  EXPECT_GE(lines, 8);
  EXPECT_LE(lines, 12);
  for (const char* word : {"loss", "cycles", "bound", "kernel_switch", "SRAM", "PE-cycles/s", "runs/tiny"})
    EXPECT_NE(summary.out.find(word), std::string::npos) << word;
  EXPECT_NE(summary.err.find("step 3/3"), std::string::npos) << summary.err;
  const Outcome as_json = wafersim("run tiny.json --json");
  EXPECT_EQ(as_json.out, contents(folder_ / "runs/tiny/report.json"));
}

TEST_F(Run, WritesFinalWeightsThatItReadsBackAsInitialOnes) {
  ASSERT_EQ(wafersim("run tiny.json --out first --set weights.final=w.safetensors").exit_code, 0);
  const auto tensors = workloads::read_safetensors(folder_ / "w.safetensors");
  EXPECT_EQ(tensors.front().name, "wte.weight");
  const Outcome second = wafersim("run tiny.json --out second --steps 1 --set weights.initial=w.safetensors --set training.optimizer.lr=0");
  ASSERT_EQ(second.exit_code, 0) << second.err;
  const json first = report("first")["digests"], kept = report("second")["digests"];
  for (const workloads::NamedTensor& tensor : tensors) EXPECT_EQ(kept[tensor.name], first[tensor.name]) << tensor.name;
}

TEST_F(Run, RefusesWeightsOfAnotherShape) {
  ASSERT_EQ(wafersim("run tiny.json --steps 1 --set weights.final=w.safetensors").exit_code, 0);
  expect_refused("run tiny.json --set weights.initial=w.safetensors --set model.config.n_embd=12", 2, "wte.weight");
}

TEST_F(Run, RefusesBadInputBeforeItStarts) {
  expect_refused("run nothing.json", 2, "nothing.json");
  expect_refused("run tiny.json --steps 0", 2, "--steps 0");
  expect_refused("run tiny.json --threads two", 2, "threads");
  expect_refused("run tiny.json --fidelity bound", 2, "fidelity");
  expect_refused("run tiny.json --block 0x4", 2, "--block");
  expect_refused("run tiny.json --set training.batsh=3", 2, "training.batch");
  std::ofstream(folder_ / "empty.txt").flush();
  expect_refused("run tiny.json --set data.text=empty.txt", 2, "empty.txt");
  expect_refused("run tiny.json --set sram.bytes=4096", 3, "");
  EXPECT_FALSE(fs::exists(folder_ / "runs"));
}

TEST_F(Run, RefusesPlacesThatCannotBeWrittenBeforeItStarts) {
  expect_refused("run tiny.json --out tokens.bin", 2, "tokens.bin");
  expect_refused("run tiny.json --out tokens.bin/run", 2, "tokens.bin/run");
  expect_refused("run tiny.json --set weights.final=nowhere/w.safetensors", 2, "nowhere/w.safetensors");
  EXPECT_FALSE(fs::exists(folder_ / "runs"));
}

TEST_F(Run, KeepsTheEarlierRunWhenItsResultsCannotBeWritten) {
  ASSERT_EQ(wafersim("run tiny.json --out run").exit_code, 0);
  const auto before = results("run");
  // No file may grow beyond 4 KiB: a full disk, to the program.
  const Outcome full = wafersim("run tiny.json --out run --set seed=4", "trap '' XFSZ; ulimit -f 8;");
  EXPECT_EQ(full.exit_code, 6) << full.err;
  EXPECT_EQ(full.out, "");
  EXPECT_EQ(results("run"), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "run"), {}), 6);
}

}  // namespace
}  // namespace wafersim::tools
