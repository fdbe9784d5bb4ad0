#include "tools/manual/bash_completion.h"

#include <fmt/format.h>

namespace wafersim::manual {
namespace {

// PROGRAM, COMMANDS, OPTIONS (cases of a command), VALUES (cases of a command and an option), KINDS are filled in.
constexpr const char* script = R"bash(# Completion of {program} for bash, as `{program} completion bash` prints it.
_{program}() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} command= options= arguments= kind=own at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; ++at)); do
    case ${{COMP_WORDS[at]}} in
      {commands_or}) command=${{COMP_WORDS[at]}}; break ;;
    esac
  done
  case $command in
{options}  esac
  # bash divides --out=DIR and KEY=VALUE into three words.
  if [[ $word == = ]]; then
    word=
    [[ $before == -* ]] || kind=files
  elif [[ $before == = ]]; then
    before=${{COMP_WORDS[COMP_CWORD - 2]}}
    [[ $before == -* ]] || kind=files
  fi
  [[ $kind == files ]] || case $command:$before in
{values}    *) if [[ $word == -* || -z $arguments ]]; then kind=options; else kind=$arguments; fi ;;
  esac
  case $kind in
    own) ;;
    options) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
    files) mapfile -t COMPREPLY < <(compgen -f -- "$word"); compopt -o filenames 2>/dev/null ;;
{kinds}  esac
}}
complete -F _{program} {program}
)bash";

std::string joined(const std::vector<std::string>& words, const char* separator = " ") {
  return fmt::format("{}", fmt::join(words, separator));
}

// The name of what may stand there, a case of the script; "own": anything.
std::string kind_of(const OptionHelp& option, const std::map<std::string, Values>& values) {
  if (values.contains(option.value)) return option.value;
  return choices(option.value).empty() ? "own" : option.value;
}

std::string options_case(const CommandHelp& command, bool whole, const std::vector<std::string>& further,
                         const std::map<std::string, Values>& values) {
  std::vector<std::string> names = further;
  std::string arguments;
  for (const OptionHelp& option : command.options) {
    if (option.positional)
      arguments = kind_of(option, values);  // those of several arguments are alike
    else
      names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return fmt::format("    {}) options='{}' arguments='{}' ;;\n", whole ? "''" : command.name, joined(names), arguments);
}

std::string value_cases(const CommandHelp& command, const std::map<std::string, Values>& values) {
  std::string text;
  for (const OptionHelp& option : command.options) {
    if (option.positional || option.value.empty()) continue;
    std::vector<std::string> patterns;
    for (const std::string& name : option.names) patterns.push_back(command.name + ":" + name);
    text += fmt::format("    {}) kind='{}' ;;\n", joined(patterns, " | "), kind_of(option, values));
  }
  return text;
}

std::string kind_case(const std::string& name, const Values& values) {
  const std::string words = fmt::format("compgen -W '{}' -- \"$word\"", joined(values.words));
  const auto complete = [&](const std::string& from, const std::string& further) {
    return fmt::format("    '{}') mapfile -t COMPREPLY < <({}){} ;;\n", name, from, further);
  };
  switch (values.kind) {
    case Values::Kind::words: return complete(words, "");
    case Values::Kind::words_or_files: return complete(words + "; compgen -f -- \"$word\"", "; compopt -o filenames 2>/dev/null");
    case Values::Kind::directories: return complete("compgen -d -- \"$word\"", "; compopt -o filenames 2>/dev/null");
    case Values::Kind::keys:
      return complete(fmt::format("compgen -S = -W '{}' -- \"$word\"", joined(values.words)), "; compopt -o nospace 2>/dev/null");
  }
  return "";
}

}  // namespace

std::string bash_completion(const CommandHelp& program, const std::vector<CommandHelp>& commands,
                            const std::map<std::string, Values>& values) {
  std::vector<std::string> names;
  for (const CommandHelp& command : commands) names.push_back(command.name);
  std::string options = options_case(program, true, names, values), cases, kinds;
  std::map<std::string, Values> all = values;
  for (const CommandHelp& command : commands) {
    options += options_case(command, false, {}, values);
    cases += value_cases(command, values);
    for (const OptionHelp& option : command.options)
      if (const std::vector<std::string> words = choices(option.value); !words.empty()) all.try_emplace(option.value, Values{words});
  }
  for (const auto& [name, of] : all) kinds += kind_case(name, of);
  return fmt::format(script, fmt::arg("program", program.name), fmt::arg("commands_or", joined(names, " | ")), fmt::arg("options", options),
                     fmt::arg("values", cases), fmt::arg("kinds", kinds));
}

}  // namespace wafersim::manual
