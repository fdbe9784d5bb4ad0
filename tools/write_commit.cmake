# cmake -DSOURCE=DIR -DOUTPUT=FILE -P write_commit.cmake: C++ that says which commit DIR is at, "unknown" where it is no checkout of its
# own. The file changes only when the answer does, so that nothing else is built anew.
set(commit unknown)
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} rev-parse --show-toplevel WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE
                  ERROR_QUIET)
  file(REAL_PATH ${SOURCE} source)
  if(top STREQUAL source)
    execute_process(COMMAND ${GIT} describe --always --abbrev=12 --exclude=* --dirty=.changed WORKING_DIRECTORY ${SOURCE}
                    OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed)
      set(commit ${described})
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
#include "tools/trainer/commit.h"
const char* const wafersim::tools::commit = "${commit}";
]])
