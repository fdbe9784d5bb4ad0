#pragma once
// A value change dump (IEEE 1364, chapter 18) as text: variables in a scope each, then what they change to, times ascending. The dump is
// not kept: it goes to a sink.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/units.h"

namespace wafersim::tools {

class VcdWriter {
 public:
  using Cycle = std::uint64_t;
  using Sink = std::function<void(std::string_view)>;

  // Time is that of cycles of the clock, in the coarsest unit of which a cycle is a whole number; else in femtoseconds, rounded down.
  VcdWriter(sim::Hertz clock, Sink sink);

  // Before begin(); returns the variable's number.
  int add(std::string_view scope, std::string_view name, int bits);
  // The dump begins at `cycle` with these values of the variables. comment: lines that say what they mean.
  void begin(Cycle cycle, std::string_view comment, const std::vector<std::uint64_t>& values);
  // From `cycle` on, which has not been written, the variable has this value; what was said of the same cycle before holds no more.
  void change(int variable, Cycle cycle, std::uint64_t value) { coming_[cycle][variable] = value; }
  // Writes what changes up to `cycle`.
  void write_up_to(Cycle cycle);
  // The same, and says that the dump ends there.
  void end(Cycle cycle);

 private:
  struct Variable {
    std::string scope, name, id;
    int bits;
    std::uint64_t value;
  };
  std::string stamp(Cycle cycle) const;
  std::string text_of(const Variable& variable) const;
  void write_head();

  sim::Hertz clock_;
  Sink sink_;
  std::vector<Variable> variables_;
  std::string head_;  // until it is written
  Cycle first_ = 0;
  std::map<Cycle, std::map<int, std::uint64_t>> coming_;
};

}  // namespace wafersim::tools
