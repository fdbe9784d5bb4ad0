#include "models/stall_report.h"

#include <fmt/format.h>
#include <optional>
#include <set>

#include "models/wait_graph.h"

namespace wafersim::models {
namespace {

using Node = WaitGraph::Node;

// The chain of the first PE, row by row, that waits for something; one that closes a cycle wins.
std::optional<WaitGraph::Chain> find_chain(const WaitGraph& graph, const MeshDriver& mesh) {
  std::optional<WaitGraph::Chain> first;
  std::set<Node> done;
  for (int y = 0; y < mesh.height(); ++y)
    for (int x = 0; x < mesh.width(); ++x) {
      const Node core{Node::Kind::core, x, y, 0};
      if (done.contains(core) || graph.waits_of(core).empty()) continue;
      WaitGraph::Chain chain = graph.chain_from(core, done);
      if (chain.cycle_begins >= 0) return chain;
      if (!first) first = std::move(chain);
    }
  return first;
}

// A wavelet that stays in a router although no core waits.
std::optional<WaitGraph::Chain> find_stuck_wavelet(const WaitGraph& graph, const MeshDriver& mesh) {
  std::set<Node> done;
  for (int y = 0; y < mesh.height(); ++y)
    for (int x = 0; x < mesh.width(); ++x)
      for (int color = 0; color < fabric::RouteMap::max_colors; ++color) {
        const MeshDriver::Place p = mesh.at({x, y});
        if (p.block->fabric->waiting_in_router(p.pe, static_cast<fabric::Color>(color)) > 0)
          return graph.chain_from({Node::Kind::queue, x, y, static_cast<fabric::Color>(color)}, done);
      }
  return {};
}

std::string text_of(const WaitGraph::Chain& chain) {
  std::string text;
  for (std::size_t k = 1; k < chain.waits.size(); ++k) text += "\n  " + chain.waits[k].why;
  if (chain.cycle_begins >= 0) text += fmt::format("\n  a cycle: the last waits for line {} of this list", chain.cycle_begins + 1);
  return text;
}

}  // namespace

std::string stall_report(const WaferPlan& plan, const MeshDriver& mesh, const memoryx::InLink& in, const memoryx::LinkTiming& timing,
                         const memoryx::GradientReader& reader, fabric::Cycle cycle) {
  const WaitGraph graph(mesh, &in, timing, cycle);
  std::optional<WaitGraph::Chain> chain = find_chain(graph, mesh);
  if (!chain) chain = find_stuck_wavelet(graph, mesh);
  std::string where = "MemoryX waits for nothing";
  if (const std::optional<memoryx::GradientReader::Missing> word = reader.first_missing()) {
    const KernelCall& call = plan.calls[static_cast<std::size_t>(word->call)];
    const std::string of = plan.micro_batches > 1 ? fmt::format(" of micro-batch {}", word->micro_batch) : "";
    where = fmt::format("MemoryX waits for word {} of call {}{} ({} {}, layer {}) on color {} from row {} of the {} edge", word->word,
                        word->call, of, call.kernel, call.phase, call.layer, word->color, word->port.row,
                        word->port.side == memoryx::Port::Side::west ? "west" : "east");
  }
  const std::string first = chain ? chain->waits.front().why : where + "; no PE waits for anything";
  return fmt::format("the wafer stalled at cycle {}: {}{}\n  {}; {} of {} words of the step have arrived", cycle, first,
                     chain ? text_of(*chain) : "", where, reader.arrived_words(), reader.expected_words());
}

}  // namespace wafersim::models
