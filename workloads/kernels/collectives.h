#pragma once
// Collectives in a row of PEs as plans of their own: the layouts whose cycles are published (reference: HPDC'24).
// Every PE holds `words` fp32 at address collective_address; the root ends with the result there.

#include "models/plan.h"

namespace wafersim::workloads {

constexpr int collective_address = 8;

// PE 0 to all.
models::WaferPlan broadcast_row(int pes, int words);
// Sum into the last PE: each adds its own vector to what comes from the west and passes it on.
models::WaferPlan chain_row(int pes, int words);
// Sum into PE 0, which adds the vectors of all others as they come, nearest first.
models::WaferPlan star_row(int pes, int words);
// PE (0, 0) to all of a mesh, then the sums of each row into its last PE and of the last column into its last PE.
models::WaferPlan broadcast_and_reduce(int width, int height, int words);

}  // namespace wafersim::workloads
