// The script of `wafersim completion bash`, asked as bash asks it when a user presses Tab.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "workloads/presets.h"

namespace wafersim::tools {
namespace {

using tests::contents, tests::wafersim;
using Words = std::set<std::string>;

class Completion : public testing::Test {
 protected:
  Completion() {
    std::ofstream(folder_ / "script") << wafersim("completion bash").out;
    std::filesystem::create_directories(folder_ / "here/runs");
    std::ofstream(folder_ / "here/run.json");
    std::ofstream(folder_ / "here/a file.json");
  }

  // COMPREPLY for the words of a command line, the last of which (maybe empty) is being typed; words are as bash divides them.
  Words complete(const std::vector<std::string>& words) const {
    std::string command = "cd " + (folder_ / "here").string() + " && bash --norc -uc 'source ../script; COMP_WORDS=(wafersim";
    for (const std::string& word : words) command += " \"" + word + "\"";
    command += "); COMP_CWORD=" + std::to_string(words.size()) + "; _wafersim; printf \"%s\\n\" \"${COMPREPLY[@]-}\"' >../out 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    std::istringstream lines(contents(folder_ / "out"));
    Words found;
    for (std::string line; std::getline(lines, line);)
      if (!line.empty()) found.insert(line);
    return found;
  }

  const tests::Folder folder_{"completion"};
};

// The options and subcommands that a page of help lists: first words of indented lines.
Words listed(const std::string& help) {
  std::istringstream lines(help);
  Words names;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] != ' ') inside = line == "Options:" || line == "Subcommands:" || line == "Slurm:";
    if (!inside || line.rfind("  ", 0) != 0 || line[2] == ' ') continue;
    std::istringstream first(line.substr(2, line.find(' ', 2) - 2));
    for (std::string name; std::getline(first, name, ',');) names.insert(name);
  }
  return names;
}

TEST_F(Completion, OffersWhatHelpListsOfTheProgramAndOfEverySubcommand) {
  const Words program = listed(wafersim("--help").out);
  EXPECT_TRUE(program.contains("run") && program.contains("--version")) << wafersim("--help").out;
  EXPECT_EQ(complete({""}), program);
  for (const std::string& command : program) {
    if (command[0] == '-') continue;
    const Words options = listed(wafersim(command + " --help").out);
    EXPECT_TRUE(options.contains("--help")) << command;
    EXPECT_EQ(complete({command, "-"}), options) << command;
  }
}

TEST_F(Completion, OffersPresetsAndFilesWhereAConfigurationStands) {
  Words expected = {"runs", "run.json", "a file.json"};
  for (const workloads::Preset& preset : workloads::run_presets()) expected.insert(preset.name);
  EXPECT_EQ(complete({"run", ""}), expected);
  EXPECT_EQ(complete({"plan", "--full", "ru"}), (Words{"runs", "run.json"}));
  EXPECT_EQ(complete({"run", "gptj"}), (Words{"gptj-6b-cs2"}));
  EXPECT_EQ(complete({"sweep", "width"}), (Words{"width-link-batch-cs2"}));
  EXPECT_EQ(complete({"presets", "cs"}), (Words{"cs1", "cs2", "cs3"}));
  EXPECT_EQ(complete({"compare", "runs", "a"}), (Words{"a file.json"}));
}

TEST_F(Completion, OffersTheValuesOfAnOption) {
  EXPECT_EQ(complete({"run", "main", "--fidelity", ""}), (Words{"wavelet", "sampled"}));
  EXPECT_EQ(complete({"traffic", "--pattern", "t"}), (Words{"transpose"}));
  EXPECT_EQ(complete({"run", "--out", "ru"}), (Words{"runs"}));
  EXPECT_EQ(complete({"run", "--out", "=", "ru"}), (Words{"runs"}));
  EXPECT_EQ(complete({"run", "--out", "="}), (Words{"runs"}));
  EXPECT_EQ(complete({"run", "--steps", ""}), Words{});
  EXPECT_EQ(complete({"completion", ""}), (Words{"bash"}));
  EXPECT_EQ(complete({"traffic", ""}), listed(wafersim("traffic --help").out));
}

TEST_F(Completion, OffersKeysOfTheConfigurationAndFilesAsTheirValues) {
  EXPECT_EQ(complete({"run", "main", "--set", "core.cl"}), (Words{"core.clock="}));
  EXPECT_EQ(complete({"run", "main", "--set", "mapping.r"}),
            (Words{"mapping.recompute=", "mapping.rectangle.height=", "mapping.rectangle.width=", "mapping.rectangle.x=",
                   "mapping.rectangle.y="}));
  EXPECT_EQ(complete({"run", "main", "--set", "data.text", "=", "run."}), (Words{"run.json"}));
  EXPECT_EQ(complete({"run", "main", "--set", "data.text", "="}), (Words{"runs", "run.json", "a file.json"}));
}

TEST_F(Completion, IsThereForBashAlone) {
  EXPECT_EQ(wafersim("completion tcsh").exit_code, 2);
  EXPECT_EQ(wafersim("completion").exit_code, 2);
  EXPECT_EQ(std::system(("bash -n " + (folder_ / "script").string()).c_str()), 0);
}

}  // namespace
}  // namespace wafersim::tools
