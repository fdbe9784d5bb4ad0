#include "tools/trainer/guard.h"

#include <cstdio>
#include <exception>
#include <fmt/format.h>

#include "sim/error.h"

namespace wafersim::tools {

int guarded(const std::function<int()>& body) {
  try {
    return body();
  } catch (const sim::Error& error) {
    fmt::print(stderr, "wafersim: {} error: {}\n", sim::name(error.category()), error.what());
    return sim::exit_code(error.category());
  } catch (const std::exception& error) {
    fmt::print(stderr, "wafersim: internal error: {}\n", error.what());
  } catch (...) {
    fmt::print(stderr, "wafersim: internal error of unknown kind\n");
  }
  return sim::exit_code(sim::ErrorCategory::invariant);
}

}  // namespace wafersim::tools
