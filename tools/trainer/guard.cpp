#include "tools/trainer/guard.h"

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <string>

#include "sim/error.h"

namespace wafersim::tools {

int guarded(const std::function<int()>& body) {
  try {
    return body();
  } catch (const sim::Error& error) {
    fmt::print(stderr, "wafersim: {} error: {}\n", sim::name(error.category()), error.what());
    return sim::exit_code(error.category());
  } catch (const std::filesystem::filesystem_error& error) {  // a path of the user's that nothing else has checked
    const std::string path = error.path1().empty() ? "the current directory" : error.path1().string();
    fmt::print(stderr, "wafersim: config error: {}: {}\n", path, error.code().message());
    return sim::exit_code(sim::ErrorCategory::config);
  } catch (const std::exception& error) {
    fmt::print(stderr, "wafersim: internal error: {}\n", error.what());
  } catch (...) {
    fmt::print(stderr, "wafersim: internal error of unknown kind\n");
  }
  return sim::exit_code(sim::ErrorCategory::invariant);
}

}  // namespace wafersim::tools
