#pragma once
// Every failure a user can meet is an Error with a category; the category decides the exit code of the program (design, section 10).

#include <stdexcept>
#include <string>

namespace wafersim::sim {

enum class ErrorCategory {
  config,       // a key, value or file of the user's is wrong                      exit 2
  unsupported,  // meaningful, but this version does not do it                      exit 2
  not_public,   // no source gives the number that would be needed                  exit 2
  plan,         // the machine cannot run it (memory, mesh, routes)                 exit 3
  stall,        // the simulated machine stopped making progress                    exit 4
  invariant,    // wafersim contradicts itself: a defect of ours                    exit 5
  output,       // results could not be written while running                       exit 6
};

// One line of text that names file, key, value and remedy where they apply.
class Error : public std::runtime_error {
 public:
  Error(ErrorCategory category, const std::string& message) : std::runtime_error(message), category_(category) {}
  ErrorCategory category() const { return category_; }

 private:
  ErrorCategory category_;
};

int exit_code(ErrorCategory category);
const char* name(ErrorCategory category);

// Throws an Error of category invariant that names `what` when `holds` is false.
void require_invariant(bool holds, const char* what);

}  // namespace wafersim::sim
