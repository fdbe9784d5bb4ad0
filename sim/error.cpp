#include "sim/error.h"

namespace wafersim::sim {

int exit_code(ErrorCategory category) {
  switch (category) {
    case ErrorCategory::config:
    case ErrorCategory::unsupported:
    case ErrorCategory::not_public: return 2;
    case ErrorCategory::plan: return 3;
    case ErrorCategory::stall: return 4;
    case ErrorCategory::invariant: return 5;
    case ErrorCategory::output: return 6;
  }
  return 5;
}

const char* name(ErrorCategory category) {
  switch (category) {
    case ErrorCategory::config: return "config";
    case ErrorCategory::unsupported: return "unsupported";
    case ErrorCategory::not_public: return "not public";
    case ErrorCategory::plan: return "plan";
    case ErrorCategory::stall: return "stall";
    case ErrorCategory::invariant: return "invariant";
    case ErrorCategory::output: return "output";
  }
  return "invariant";
}

void require_invariant(bool holds, const char* what) {
  if (!holds) throw Error(ErrorCategory::invariant, std::string("invariant broken: ") + what);
}

}  // namespace wafersim::sim
