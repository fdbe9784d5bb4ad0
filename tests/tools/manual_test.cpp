// Manual pages, as groff sets them.

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tools/manual/man_page.h"

namespace wafersim::manual {
namespace {

using tests::contents, tests::wafersim;

// A page without what groff complains of, all blanks as one.
std::string set_in_type(const std::string& page) {
  const tests::Folder folder("page");
  const std::string source = folder / "page", shown = folder / "shown", complaints = folder / "complaints";
  std::ofstream(source) << page;
  EXPECT_EQ(std::system(("groff -man -Tascii -P-cbou -ww " + source + " >" + shown + " 2>" + complaints).c_str()), 0);
  EXPECT_EQ(contents(complaints), "") << page;
  std::istringstream words(contents(shown));
  std::string text;
  for (std::string word; words >> word;) text += word + " ";
  return text;
}

std::vector<std::string> subcommands() {
  std::istringstream lines(wafersim("--help").out);
  std::vector<std::string> names;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (inside && line.empty()) break;
    if (inside) names.push_back(line.substr(2, line.find(' ', 2) - 2));
    inside = inside || line == "Subcommands:";
  }
  return names;
}

TEST(ManualPages, OfTheProgramNamesItsCommandsFilesAndExitCodes) {
  const std::string page = set_in_type(wafersim("manual").out);
  EXPECT_EQ(page.rfind("WAFERSIM(1) ", 0), 0U) << page;
  for (const std::string& command : subcommands())
    EXPECT_NE(page.find("wafersim-" + command + "(1)"), std::string::npos) << command << " in " << page;
  for (const char* part : {"FILES runs/NAME", "ENVIRONMENT XDG_CACHE_HOME", "EXIT CODES 0 good; 1 "})
    EXPECT_NE(page.find(part), std::string::npos) << part << " in " << page;
}

TEST(ManualPages, OfEverySubcommandHaveAllThatHelpLists) {
  const std::vector<std::string> commands = subcommands();
  EXPECT_GE(commands.size(), 8U);
  for (const std::string& command : commands) {
    const std::string page = set_in_type(wafersim("manual " + command).out);
    for (const std::string& part : {"NAME wafersim-" + command + " - ", "SYNOPSIS wafersim " + command, std::string(" EXAMPLES "),
                                    std::string(" EXIT CODES 0 "), std::string(" SEE ALSO wafersim(1) ")})
      EXPECT_NE(page.find(part), std::string::npos) << part << " in " << page;
    std::istringstream help(wafersim(command + " --help").out);
    for (std::string line; std::getline(help, line);)
      if (line.rfind("  --", 0) == 0) {
        const std::string option = line.substr(2, line.find_first_of(" =", 2) - 2);
        EXPECT_NE(page.find(" " + option + " "), std::string::npos) << command << " " << option;
      }
  }
  EXPECT_NE(set_in_type(wafersim("manual run").out).find("FILES OF THE RUN DIRECTORY config.json the complete"), std::string::npos);
  EXPECT_EQ(wafersim("manual rn").exit_code, 2);
}

TEST(ManualPages, ShowTheValuesOfOptionsWithoutTheirChecks) {
  const std::string run = set_in_type(wafersim("manual run").out), sweep = set_in_type(wafersim("manual sweep").out);
  for (const char* option : {" --trace-window FROM:TO Steps ", " --checkpoint-every N Write "})
    EXPECT_NE(run.find(option), std::string::npos) << option << " in " << run;
  EXPECT_NE(sweep.find(" --jobs N Processes "), std::string::npos) << sweep;
}

TEST(ManualPages, ShowCharactersThatRoffTakesForItsOwn) {
  const std::string odd = R"(.br 'tis a \fBback\fR slash, -d ~/x ^2 `y` "z")";
  const CommandHelp command{"odd",
                            odd,
                            {{{"-o", "--odd"}, "A|B", odd, "-1", false, true, true}, {{"THING"}, "THING", "one.", "", true, false, false}},
                            "Odd things: " + odd + "\n\nLines:\n  " + odd + "\n" + odd};
  const std::string page = set_in_type(man_page_of_command({"tool", "", {}, ""}, command, "1"));
  EXPECT_EQ(page, "TOOL-ODD(1) wafersim TOOL-ODD(1) NAME tool-odd - " + odd +
                      " SYNOPSIS tool odd --odd A|B [THING] [option ...] ARGUMENTS THING " + "one.. OPTIONS -o, --odd A|B " + odd +
                      ". Required. May be given several times. Default: -1. ODD THINGS " + odd + " LINES " + odd + " " + odd +
                      " SEE ALSO tool(1) wafersim 1 TOOL-ODD(1) ");
}

}  // namespace
}  // namespace wafersim::manual
