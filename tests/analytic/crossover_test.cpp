// Layers of several widths on a CS-2 behind links of several rates: a linear's time is that of its multiply-adds or that of the busiest
// channel's words, whichever is longer, as the equations of the layout put it.

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace wafersim::tools {
namespace {

constexpr double clock_hz = 0.85e9, sum_cycles = 10;  // of a CS-2: clock, turning to a new output
constexpr int rows_a_channel = 18, channels = 120;

int ceil_of(int a, int b) { return (a + b - 1) / b; }

// The layout that the run chose.
struct Tile {
  int rows, columns, tokens;
  int features(int width) const { return ceil_of(width, columns); }
  // Most columns that one channel feeds: column c from row floor(c R / C), even ones from the west.
  int columns_a_channel() const {
    std::map<std::pair<int, int>, int> fed;
    for (int c = 0; c < columns; ++c) ++fed[{c % 2, static_cast<int>(static_cast<long>(c) * rows / columns) / rows_a_channel}];
    return std::max_element(fed.begin(), fed.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->second;
  }
  double compute_cycles(int inputs) const {  // of an output
    const int h = features(inputs);
    return h * (ceil_of(tokens, 2) + 1) + (tokens + 1) + ceil_of(2 * h, 4) + sum_cycles;
  }
  // Of the ring: a word in, added, out takes two ramps and two cycles a column.
  double fill_cycles() const { return (2 * (2 * 2 + 2) + 1) * (columns - 1.0); }
  double stream_cycles(int inputs, double bytes_per_second) const {  // of an output
    return columns_a_channel() * ceil_of(2 * features(inputs), 4) * 4.0 / (bytes_per_second / channels / clock_hz);
  }
};

struct Linears {
  double simulated = 0, computed = 0, streamed = 0, longer = 0;  // cycles: simulated; the equations' two sides; the longer of each linear
};

class Layer {
 public:
  explicit Layer(int width) : width_(width) {
    const nlohmann::json config = {{"machine", "cs2"},
                                   {"model",
                                    {{"config",
                                      {{"model_type", "gptj"},
                                       {"activation_function", "gelu_new"},
                                       {"n_layer", 1},
                                       {"n_embd", width},
                                       {"n_head", width / 128},
                                       {"n_inner", 4 * width},
                                       {"rotary_dim", 64},
                                       {"n_positions", 2048},
                                       {"vocab_size", 512},
                                       {"layer_norm_epsilon", 1e-5},
                                       {"initializer_range", 0.02},
                                       {"tie_word_embeddings", false}}}}},
                                   {"training", {{"batch", 22}, {"sequence", 2048}, {"steps", 1}}},
                                   {"fidelity", "sampled"},
                                   {"dtype", "fp16"},
                                   {"numerics", "off"}};
    std::ofstream(folder_ / "layer.json") << config;
  }

  // The mapping for the machine's own link is kept for all others.
  void choose_mapping() {
    const nlohmann::json mapping = run("")["mapping"];
    EXPECT_EQ(mapping["micro_batches"], 1);
    for (const char* key : {"lanes", "tokens_per_pe", "features_per_pe", "micro_batches", "recompute"})
      pins_ += fmt::format(" --set mapping.{}={}", key, mapping[key].dump());
    tile_ = {mapping["rows"], mapping["columns_per_lane"], mapping["tokens_per_pe"]};
    turning_ = tile_.stream_cycles(width_, 1.0) / tile_.compute_cycles(width_);
  }
  // `rate`: of the link, in multiples of where the attention's linears turn from one side to the other.
  Linears at(double rate) const {
    const nlohmann::json report = run(fmt::format("{} --set io.wafer_bandwidth={:.0f}MB/s", pins_, rate * turning_ / 1e6));
    Linears result{};
    for (const nlohmann::json& row : report["breakdown"])
      if (row["kernel"] == "linear" && row["phase"] == "forward" && row["layer"] == 0) result.simulated += row["cycles"].get<double>();
    struct Linear {
      int inputs, outputs;
    };
    const int w = width_;
    for (const Linear& l : {Linear{w, 3 * w}, Linear{w, w}, Linear{w, 4 * w}, Linear{4 * w, w}}) {  // q, k and v; o; up; down
      const double compute = tile_.compute_cycles(l.inputs) * l.outputs + tile_.fill_cycles(),
                   stream = tile_.stream_cycles(l.inputs, rate * turning_) * l.outputs;
      result.computed += compute;
      result.streamed += stream;
      result.longer += std::max(compute, stream);
    }
    return result;
  }
  double turning() const { return turning_; }

 private:
  nlohmann::json run(const std::string& keys) const {
    const tests::Outcome outcome = tests::wafersim(fmt::format("run {} --json --cache {} --out {}{}", (folder_ / "layer.json").string(),
                                                               (folder_ / "cache").string(), (folder_ / "run").string(), keys));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  }

  int width_;
  std::string pins_;
  Tile tile_{};
  double turning_ = 0;  // bytes/s of the link
  const tests::Folder folder_{"crossover"};
};

class CrossOver : public testing::TestWithParam<int> {};

TEST_P(CrossOver, FromStreamToComputeIsWhereTheEquationsPutIt) {
  Layer layer(GetParam());
  layer.choose_mapping();
  fmt::print("width {}: turns at {:.1f} GB/s\n", GetParam(), layer.turning() / 1e9);
  for (const double rate : {0.25, 0.8, 1.25, 4.0}) {
    const Linears l = layer.at(rate);
    fmt::print("  link x {:4}: simulated {:.4g} cycles; compute {:.4g}, stream {:.4g}; {:+.1f} %\n", rate, l.simulated, l.computed,
               l.streamed, 100 * (l.simulated / l.longer - 1));
    EXPECT_NEAR(l.simulated / l.longer, 1.0, 0.05) << rate;  // fp16 linears take up to 4.3 % more than the form
    EXPECT_EQ(l.streamed > l.computed, rate < 1.0);
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, CrossOver, testing::Values(1024, 4096));

}  // namespace
}  // namespace wafersim::tools
