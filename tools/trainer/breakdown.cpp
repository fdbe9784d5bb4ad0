#include "tools/trainer/breakdown.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "sim/error.h"

namespace wafersim::tools {
namespace {

constexpr std::size_t idle = static_cast<std::size_t>(models::Activity::idle);
enum Between : std::size_t { stream_in, kernel_switch, gradient_drain };
constexpr std::array<const char*, 3> between_names = {"stream_in", "kernel_switch", "gradient_drain"};

BreakdownRow row_named(int layer, const std::string& phase, const std::string& kernel) {
  BreakdownRow row;
  row.layer = layer;
  row.phase = phase;
  row.kernel = kernel;
  return row;
}

std::uint64_t sum(const std::array<std::uint64_t, models::activities>& cycles) {
  return std::accumulate(cycles.begin(), cycles.end(), std::uint64_t{0});
}

}  // namespace

Breakdown::Breakdown(const std::vector<PlannedCall>& calls, std::uint64_t pes, int micro_batches)
    : pes_(pes), micro_batches_(static_cast<std::size_t>(micro_batches)) {
  std::map<std::tuple<int, std::string, std::string>, std::size_t> row_of;
  for (const PlannedCall& call : calls) {
    const auto [place, is_new] = row_of.try_emplace({call.layer, call.phase, call.kernel}, rows_.size());
    if (is_new) rows_.push_back(row_named(call.layer, call.phase, call.kernel));
    row_of_call_.push_back(place->second);
    call_bounds_.push_back(call.bound.least());
    BreakdownRow& row = rows_[place->second];
    row.calls += micro_batches;
    row.bound_cycles += micro_batches * call.bound.least();
    row.bound += call.bound * micro_batches;
    row.closed_form_cycles += micro_batches * call.closed_form_cycles;
  }
  for (const char* name : between_names) rows_.push_back(row_named(-1, "", name));
}

void Breakdown::add_waits(const models::SampledStep& step) {
  for (std::size_t k = 0; k < step.calls.size(); ++k)
    for (std::size_t cause = 0; cause < models::wait_causes; ++cause)
      rows_[row_of_call_[k % row_of_call_.size()]].waits[cause] += step.calls[k].waits[cause];
}

// Adds the call's time and work to its row and the work of the switch after it to that row. Returns the idle PE cycles that lie beyond the
// call's own time.
std::uint64_t Breakdown::add_call(BreakdownRow& row, const models::CallRecord& call) {
  const std::uint64_t cycles = call.last_done - call.first_start, own = cycles * pes_;
  const std::uint64_t worked = sum(call.cycles) - call.cycles[idle], idled = call.cycles[idle] + call.switch_cycles[idle];
  const std::uint64_t kept = std::min(idled, own > worked ? own - worked : 0);
  for (std::size_t a = 0; a < call.cycles.size(); ++a) {
    row.pe_cycles[a] += static_cast<double>(a == idle ? kept : call.cycles[a]);
    between(kernel_switch).pe_cycles[a] += static_cast<double>(a == idle ? 0 : call.switch_cycles[a]);
  }
  row.cycles += cycles;
  row.macs += static_cast<double>(call.macs);
  return idled - kept;
}

void Breakdown::add(const models::StepResult& step) {
  const std::vector<models::CallRecord>& calls = step.statistics.calls;
  sim::require_invariant(calls.size() == micro_batches_ * row_of_call_.size(), "every kernel call of the plan runs once a micro-batch");
  std::array<std::uint64_t, between_names.size()> cycles{};
  std::uint64_t at = step.first, counted = 0, spare = 0;
  for (std::size_t k = 0; k < calls.size(); ++k) {
    sim::require_invariant(at <= calls[k].first_start && calls[k].first_start <= calls[k].last_done, "kernel calls follow one another");
    const std::size_t call = k % row_of_call_.size();
    sim::require_invariant(call_bounds_[call] <= static_cast<double>(calls[k].last_done - calls[k].first_start),
                           "no kernel call is faster than its bound");
    cycles[k == 0 ? stream_in : kernel_switch] += calls[k].first_start - at;
    spare += add_call(rows_[row_of_call_[call]], calls[k]);
    counted += sum(calls[k].cycles) + sum(calls[k].switch_cycles);
    at = calls[k].last_done;
  }
  sim::require_invariant(std::max(at, step.gradients) <= step.at_rest, "a wafer is at rest after a step's last kernel and gradient");
  sim::require_invariant(counted == pes_ * (step.at_rest - step.first), "the PE cycles of the calls add up to those of the step");
  cycles[gradient_drain] = step.at_rest - at;
  for (const Between b : {stream_in, gradient_drain, kernel_switch}) {  // the switches take what the others leave
    const std::uint64_t share = b == kernel_switch ? spare : std::min(spare, pes_ * cycles[b]);
    between(b).cycles += cycles[b];
    between(b).pe_cycles[idle] += static_cast<double>(share);
    spare -= share;
  }
  ++steps_;
}

}  // namespace wafersim::tools
