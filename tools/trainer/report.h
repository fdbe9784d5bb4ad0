#pragma once
// report.json and report.txt of a run that ended well.
//
// Every figure of a step is the mean over the measured steps (trainer.h), each from its start to that of the next; the updates of the run's
// last step, which no step hides, are step.last_update_cycles. Times are in cycles of the wafer unless the key says otherwise;
// busy, stalls and idle of a breakdown row are cycles summed over PEs; `reduce` is that part of busy that adds or passes on wavelets.
// Everything that depends on the host or the command is in `host` and `provenance.host` and nowhere else. model_flops_utilization counts as
// is usual (workloads/family.h), pairs of tokens that causal attention leaves out too: long sequences may bring it above 1. What PEs
// multiply is in `macs`. step.peaks: of a system's mapped rectangle, and of its link each way. memory.sram: an array takes the bytes of a
// stage, [time, bytes], until the next one's time, in the end `until`; times are numbers of allocations and releases in the order of the
// step.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tools/trainer/trainer.h"

namespace wafersim::tools {

// Error(invariant) when a utilisation exceeds 1.
nlohmann::ordered_json make_report(const PreparedRun& run, const RunResult& result);

// About ten lines: losses, step, bound, utilisation, share of cycles by kernel, links, memory.
std::string summary_text(const nlohmann::ordered_json& report);
// The line that differs from host to host.
std::string host_text(const nlohmann::ordered_json& report);
// The summary, what made it and the whole breakdown as a table.
std::string report_text(const nlohmann::ordered_json& report);

}  // namespace wafersim::tools
