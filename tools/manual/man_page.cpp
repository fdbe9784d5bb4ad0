#include "tools/manual/man_page.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <sstream>

namespace wafersim::manual {
namespace {

// Text that roff takes as it is: no escapes, no hyphens where minus signs are meant, no requests at the start of a line.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool line_starts = out.empty() || out.back() == '\n';
    if (line_starts && (c == '.' || c == '\'')) out += "\\&";
    switch (c) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      case '~': out += "\\(ti"; break;
      case '^': out += "\\(ha"; break;
      case '`': out += "\\(ga"; break;
      case '\'': out += "\\(aq"; break;
      default: out += c;
    }
  }
  return out;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string bold(const std::string& text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string header(const std::string& name, const std::string& version) {
  return fmt::format(".TH \"{}\" 1 \"\" \"wafersim {}\" \"wafersim\"\n.nr HY 0\n.ad l\n", escaped(upper(name)), version);
}

std::string name_section(const std::string& name, const std::string& about) {
  return fmt::format(".SH NAME\n{} \\- {}\n", escaped(name), escaped(about));
}

std::string entry(const OptionHelp& option) {
  std::string names;
  for (const std::string& name : option.names) names += (names.empty() ? "" : ", ") + (option.positional ? italic(name) : bold(name));
  if (!option.positional && !option.value.empty()) names += " " + italic(option.value);
  std::string text = option.about;
  if (option.required && !option.positional) text += ". Required";
  if (option.repeated && !option.positional) text += ". May be given several times";
  if (!option.standard.empty()) text += ". Default: " + option.standard;
  return fmt::format(".TP\n{}\n{}.\n", names, escaped(text));
}

std::string options_section(const CommandHelp& command) {
  std::string arguments, options;
  for (const OptionHelp& option : command.options) (option.positional ? arguments : options) += entry(option);
  return (arguments.empty() ? "" : ".SH ARGUMENTS\n" + arguments) + ".SH OPTIONS\n" + options;
}

std::string synopsis(const CommandHelp& program, const CommandHelp& command) {
  std::string text = fmt::format(".SH SYNOPSIS\n{}", bold(program.name + " " + command.name));
  for (const OptionHelp& option : command.options) {
    if (!option.required && !option.positional) continue;
    const std::string name = option.positional ? italic(option.names.front()) : bold(option.names.back()) + " " + italic(option.value);
    text += option.required ? " " + name : " [" + name + "]";
  }
  return text + " [" + italic("option") + " ...]\n";
}

// "Title: text" and "Title:" with indented lines, a section each.
std::string further_sections(const std::string& further) {
  std::istringstream lines(further);
  std::string text;
  bool starts = true, literal = false;
  const auto end_literal = [&] {
    if (literal) text += ".EE\n";
    literal = false;
  };
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      end_literal();
      starts = true;
      continue;
    }
    if (starts) {
      const std::size_t colon = line.find(':');
      text += ".SH \"" + escaped(upper(line.substr(0, colon))) + "\"\n";
      line.erase(0, colon == std::string::npos ? line.size() : std::min(line.size(), colon + 2));
      starts = false;
      if (line.empty()) continue;
    }
    if (line.rfind("  ", 0) == 0) {
      if (!literal) text += ".EX\n";
      literal = true;
      line.erase(0, 2);
    } else {
      end_literal();
    }
    text += escaped(line) + "\n";
  }
  end_literal();
  return text;
}

}  // namespace

std::string man_page(const CommandHelp& program, const std::vector<CommandHelp>& commands, const std::string& version) {
  std::string text = header(program.name, version) + name_section(program.name, program.about);
  text += fmt::format(".SH SYNOPSIS\n{} {} [{} ...]\n.SH COMMANDS\n", bold(program.name), italic("command"), italic("argument"));
  std::string others;
  for (const CommandHelp& command : commands) {
    text += fmt::format(".TP\n{}\n{}.\n", bold(command.name), escaped(command.about));
    others += fmt::format("{}.BR {} (1)", others.empty() ? "" : " ,\n", escaped(program.name + "-" + command.name));
  }
  return text + options_section(program) + further_sections(program.further) + ".SH \"SEE ALSO\"\n" + others + "\n";
}

std::string man_page_of_command(const CommandHelp& program, const CommandHelp& command, const std::string& version) {
  const std::string name = program.name + "-" + command.name;
  return header(name, version) + name_section(name, command.about) + synopsis(program, command) + options_section(command) +
         further_sections(command.further) + fmt::format(".SH \"SEE ALSO\"\n.BR {} (1)\n", escaped(program.name));
}

}  // namespace wafersim::manual
