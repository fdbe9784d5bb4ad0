#pragma once
// steps.csv and heatmap.csv as text.

#include <string>

#include "tools/trainer/trainer.h"

namespace wafersim::tools {

// step,loss,gradient_norm,lr,loss_scale,skipped,cycles,seconds: a row a step, from 0. Without numerics what is a
// number's is empty.
std::string steps_csv(const RunResult& result, double clock, bool numerics);

// x,y, cycles by activity (busy, each cause of a stall, idle), wavelets sent by direction, sram_bytes, of busy the part in reduce: a row a
// PE, row by row from the north-west, means over the measured steps.
std::string heatmap_csv(const RunResult& result, const models::WaferPlan& plan);

}  // namespace wafersim::tools
