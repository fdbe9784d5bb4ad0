#include "models/systemc/kernel.h"

#include <systemc>

#include "sim/error.h"

// libsystemc calls it from its own main, which the program's main replaces.
extern "C" int sc_main(int, char**) { return 0; }

namespace wafersim::models {

void prepare_kernel(TimeResolution resolution) {
  if (sc_core::sc_get_status() != sc_core::SC_ELABORATION || !sc_core::sc_get_top_level_objects().empty())
    throw sim::Error(sim::ErrorCategory::invariant, "SystemC allows one simulation a process");
  sc_core::sc_set_time_resolution(1, resolution == TimeResolution::femtosecond ? sc_core::SC_FS : sc_core::SC_PS);
}

}  // namespace wafersim::models
