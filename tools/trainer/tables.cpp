#include "tools/trainer/tables.h"

#include <fmt/format.h>

namespace wafersim::tools {

std::string steps_csv(const RunResult& result, double clock, bool numerics) {
  std::string text = "step,loss,gradient_norm,lr,loss_scale,skipped,cycles,seconds\n";
  for (std::size_t s = 0; s < result.steps.size(); ++s) {
    const StepRecord& step = result.steps[s];
    const std::string numbers =
        numerics ? fmt::format("{},{},{},{},{}", step.loss, step.gradient_norm, step.lr, step.loss_scale, step.skipped) : ",,,,";
    text += fmt::format("{},{},{},{}\n", s, numbers, step.cycles, static_cast<double>(step.cycles) / clock);
  }
  return text;
}

constexpr auto reduce = static_cast<std::size_t>(models::Activity::reduce);

std::string heatmap_csv(const RunResult& result, const models::WaferPlan& plan) {
  const StepTotals& totals = result.totals;
  const auto* stalls = models::activity_names.begin() + models::first_stall;
  std::string text = fmt::format("x,y,busy,{},flits_n,flits_e,flits_s,flits_w,flits_ramp,sram_bytes,reduce\n",
                                 fmt::join(stalls, models::activity_names.end(), ","));
  const auto add = [&](std::uint64_t sum) { text += fmt::format(",{}", static_cast<double>(sum) / totals.steps); };
  for (std::size_t pe = 0; pe * models::activities < totals.activity.size(); ++pe) {
    const std::size_t width = static_cast<std::size_t>(plan.width);
    text += fmt::format("{},{}", pe % width, pe / width);
    const auto cycles = [&](std::size_t a) { return totals.activity[pe * models::activities + a]; };
    add(cycles(static_cast<std::size_t>(models::Activity::compute)) + cycles(reduce));
    for (std::size_t a = models::first_stall; a < models::activities; ++a) add(cycles(a));
    for (std::size_t d = 0; d < fabric::directions; ++d) add(totals.flits[pe * fabric::directions + d]);
    text += fmt::format(",{}", plan.sram.peak_bytes);
    add(cycles(reduce));
    text += '\n';
  }
  return text;
}

}  // namespace wafersim::tools
