#include "tools/trainer/vcd_writer.h"

#include <fmt/format.h>
#include <utility>

namespace wafersim::tools {
namespace {

constexpr std::uint64_t femtoseconds_a_second = 1'000'000'000'000'000;

struct Unit {
  const char* name;
  std::uint64_t a_second;
};
constexpr Unit units[] = {{"1 ns", 1'000'000'000}, {"1 ps", 1'000'000'000'000}, {"1 fs", femtoseconds_a_second}};

const Unit& unit_of(sim::Hertz clock) {
  for (const Unit& unit : units)
    if (unit.a_second % clock.count() == 0) return unit;
  return units[2];
}

// The printable characters but for the space.
std::string identifier(std::size_t number) {
  constexpr std::size_t first = '!', count = '~' - '!' + 1;
  std::string id;
  do {
    id += static_cast<char>(first + number % count);
    number /= count;
  } while (number > 0);
  return id;
}

}  // namespace

VcdWriter::VcdWriter(sim::Hertz clock, Sink sink) : clock_(clock), sink_(std::move(sink)) {}

int VcdWriter::add(std::string_view scope, std::string_view name, int bits) {
  variables_.push_back({std::string(scope), std::string(name), identifier(variables_.size()), bits, 0});
  return static_cast<int>(variables_.size()) - 1;
}

std::string VcdWriter::stamp(Cycle cycle) const {
  const std::uint64_t shortened = femtoseconds_a_second / unit_of(clock_).a_second;
  return fmt::format("#{}\n", sim::time_of(sim::Cycles(cycle), clock_).count() / shortened);
}

std::string VcdWriter::text_of(const Variable& variable) const {
  return variable.bits == 1 ? fmt::format("{}{}\n", variable.value, variable.id) : fmt::format("b{:b} {}\n", variable.value, variable.id);
}

void VcdWriter::begin(Cycle cycle, std::string_view comment, const std::vector<std::uint64_t>& values) {
  first_ = cycle;
  head_ = fmt::format("$version wafersim {} $end\n$comment\n{}$end\n$timescale {} $end\n$scope module wafer $end\n", WAFERSIM_VERSION,
                      comment, unit_of(clock_).name);
  for (std::size_t k = 0; k < variables_.size(); ++k) {
    Variable& variable = variables_[k];
    variable.value = values[k];
    if (k == 0 || variable.scope != variables_[k - 1].scope)
      head_ += fmt::format("{}$scope module {} $end\n", k == 0 ? "" : "$upscope $end\n", variable.scope);
    head_ += fmt::format("$var wire {} {} {} $end\n", variable.bits, variable.id, variable.name);
  }
  head_ += "$upscope $end\n$upscope $end\n$enddefinitions $end\n";
}

// What changes in the first cycle is its first value.
void VcdWriter::write_head() {
  for (const auto& [number, value] : coming_[first_]) variables_[static_cast<std::size_t>(number)].value = value;
  coming_.erase(first_);
  std::string text = std::exchange(head_, {}) + stamp(first_) + "$dumpvars\n";
  for (const Variable& variable : variables_) text += text_of(variable);
  sink_(text + "$end\n");
}

void VcdWriter::write_up_to(Cycle cycle) {
  if (!head_.empty()) write_head();
  std::string text;
  for (; !coming_.empty() && coming_.begin()->first <= cycle; coming_.erase(coming_.begin())) {
    std::string changes;
    for (const auto& [number, value] : coming_.begin()->second) {
      Variable& variable = variables_[static_cast<std::size_t>(number)];
      if (std::exchange(variable.value, value) != value) changes += text_of(variable);
    }
    if (!changes.empty()) text += stamp(coming_.begin()->first) + changes;
  }
  if (!text.empty()) sink_(text);
}

void VcdWriter::end(Cycle cycle) {
  write_up_to(cycle);
  sink_(stamp(cycle));
}

}  // namespace wafersim::tools
