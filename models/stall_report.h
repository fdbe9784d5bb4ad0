#pragma once
// Why a simulation stopped: who waits for whom. Pure; reads the state of a mesh in which nothing can happen any more.
//
// The graph's nodes are cores, router queues (PE, color) and edge ports. A core that waits for a color waits, upstream along the color's
// route, for the first queue that holds wavelets, for the core that would send, or for the edge port. A full queue waits, downstream, for
// the queue or core that has no room. The report follows the first wait of the first waiting PE until it meets a node again (a cycle) or
// ends; a chain that closes a cycle is preferred.

#include <string>

#include "memoryx/gradient_reader.h"
#include "memoryx/io_link.h"
#include "models/mesh_driver.h"
#include "models/plan.h"

namespace wafersim::models {

// Several lines. The first names the cycle, a PE, what it waits for and the color; then one line a wait of its chain, the cycle marked;
// then what MemoryX still waits for from this wafer.
std::string stall_report(const WaferPlan& plan, const MeshDriver& mesh, const memoryx::InLink& in, const memoryx::LinkTiming& timing,
                         const memoryx::GradientReader& reader, fabric::Cycle cycle);

}  // namespace wafersim::models
