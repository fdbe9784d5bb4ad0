// Input: a run configuration, then lines KEY=VALUE after the first NUL byte, as overrides. Nothing but sim::Error may come out, its message
// on one line; what is accepted must be written as a configuration that reads to the same run.

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "sim/config/tree.h"
#include "sim/error.h"
#include "sim/json_file.h"
#include "tests/fuzz/driver.h"
#include "workloads/presets.h"
#include "workloads/run_overrides.h"
#include "workloads/run_spec.h"

namespace {

using namespace wafersim;

// Files that exist on every system and are no configurations.
constexpr const char* folder = "/proc/self";

workloads::RunSpec read(std::string_view text, const std::string& overrides) {
  std::vector<sim::Override> options;
  std::istringstream lines(overrides);
  for (std::string line; std::getline(lines, line);) options.push_back(sim::parse_override(line));
  sim::ConfigTree tree(sim::parse_json(text, "fuzz.json"), "fuzz.json", folder);
  return workloads::parse_run_spec(workloads::apply_overrides(std::move(tree), options, folder));
}

void check_round_trip(const workloads::RunSpec& spec) {
  const auto written = workloads::run_spec_to_json(spec);
  if (spec.fidelity != workloads::Fidelity::wavelet) return;  // a default that may not be asked for yet
  if (workloads::run_spec_to_json(read(written.dump(), "")) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), size);
  try {
    check_round_trip(read(input.substr(0, end), std::string(input.substr(std::min(end + 1, size)))));
  } catch (const sim::Error& error) {
    const std::string_view message = error.what();
    if (message.empty() || message.find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}

namespace wafersim::fuzz {

std::vector<std::string> seeds() {
  const std::string small =
      R"({"machine":"cs2","machine_overrides":{"fabric.width":16,"fabric":{"height":16},"core.clock":"850 MHz"},"model":{"config":{"model_type":"gpt2",)"
      R"("n_embd":64,"n_head":4,"n_layer":2,"n_positions":64,"vocab_size":256}},"data":{"text":"status"},"training":{"batch":4,"sequence":32,"steps":20}})";
  std::vector<std::string> out;
  out.push_back(small);
  out.push_back(small + std::string(1, '\0') +
                "fabric.width=8\ntraining.optimizer={\"kind\":\"sgd\",\"lr\":0.1}\ndata.tokens=maps\nthreads=2");
  out.push_back(small + std::string(1, '\0') +
                "mapping.rectangle={\"width\":4,\"height\":4}\nio.bandwidth=1.2 Tb/s\nsram.bytes=48 KiB\nio.latency=1 us");
  out.push_back(small + std::string(1, '\0') +
                "model.preset=gpt2-bytes\nmodel.config.n_layer=3\nmodel.config.attn_pdrop=0.5\ndtype=fp32\nmodel.config.n_inner=null");
  out.push_back(small + std::string(1, '\0') +
                "training.schedule={\"kind\":\"cosine\",\"warmup_steps\":2,\"min_lr\":1e-5}\nfidelity=wavelet\nweights.final=x");
  // Hugging Face's keys of the other families.
  const std::string rest = R"(}},"data":{"text":"status"},"training":{"batch":2,"sequence":16,"steps":1}})";
  const std::string start = R"({"machine":"cs3","machine_overrides":{"fabric.width":8,"fabric.height":8},"model":{"config":{"model_type":)";
  for (
      const char* config :
      {R"("gptj","n_embd":32,"n_head":4,"n_layer":1,"n_positions":16,"vocab_size":64,"rotary_dim":4,"n_inner":null,"tie_word_embeddings":false)",
       R"("gpt_neox","hidden_size":32,"num_attention_heads":4,"num_hidden_layers":1,"intermediate_size":128,"max_position_embeddings":16,)"
       R"("vocab_size":64,"rotary_pct":0.25,"rotary_emb_base":10000,"use_parallel_residual":true,"hidden_act":"gelu","layer_norm_eps":1e-5)",
       R"("llama","hidden_size":32,"num_attention_heads":4,"num_key_value_heads":2,"num_hidden_layers":1,"intermediate_size":88,)"
       R"("max_position_embeddings":16,"vocab_size":64,"rope_theta":10000.0,"hidden_act":"silu","rms_norm_eps":1e-6,"attention_bias":false)"})
    out.push_back(start + config + rest);
  for (const auto& preset : workloads::run_presets()) out.push_back(preset.text);
  return out;
}

std::vector<std::string> words() {
  return {"{",
          "}",
          "[",
          "]",
          "\"",
          ":",
          ",",
          ".",
          "null",
          "true",
          "false",
          "-1",
          "0",
          "1e999",
          "1e308",
          "-0.0",
          "nan",
          "16",
          "1.5",
          "\"\"",
          "{}",
          "[]",
          "\\u0000",
          "\xff",
          "\n",
          "GHz",
          "KiB",
          "Tb/s",
          "us",
          "machine",
          "fabric",
          "width",
          "model",
          "config",
          "model_type",
          "gpt2",
          "gptj",
          "gpt_neox",
          "llama",
          "data.text",
          "training",
          "lr",
          "io.",
          "core.",
          "[[[[[[[[",
          "=",
          "18446744073709551615",
          "9223372036854775808"};
}

}  // namespace wafersim::fuzz
