#pragma once
// trace.json: the run on a time axis, for Perfetto (ui.perfetto.dev) and tools/plot.py (Trace Event Format; what is in it says
// trace_step.h). Written step by step and never kept: a file may be as long as its limit, the memory is that of a step.
//
// A file that would grow beyond the limit leaves out steps from the first one that does not fit on, and keeps room for the last one that
// the options show, of which it holds what fits; of a first step that is too long, too. It ends with "otherData": what made it and what it
// shows, whether it is cut and how many steps are missing or have parts missing.

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/system.h"
#include "tools/trainer/trace_options.h"
#include "tools/trainer/trace_plan.h"
#include "tools/trainer/trace_step.h"

namespace wafersim::tools {

class Trace {
 public:
  // Takes the bytes of the file in order.
  using Sink = std::function<void(std::string_view)>;

  // REQUIRES options that show a step of the run.
  Trace(TracePlan plan, TraceOptions options, Sink sink);

  void add(const models::StepResult& step);  // the run's steps, in order
  void finish();                             // once, after the last step
  // {"limit_bytes", "steps", "layers", "cut", "steps_left_out", "steps_in_part"}
  nlohmann::ordered_json summary() const;

  // Saves or restores what a new one does not know, between two steps.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(steps_, bytes_, longest_, left_out_, in_part_, named_, updates_, uses_);
  }

 private:
  std::vector<TracePiece> pieces_that_may_fit(const models::StepResult& step) const;
  std::vector<TracePiece> pieces_of(const models::StepResult& step, bool makes);
  void write(const std::vector<TracePiece>& pieces, bool is_last);
  std::string with_names(const TracePiece& piece);
  void put(std::string_view events);
  bool is_cut() const { return left_out_ + in_part_ > 0; }

  TracePlan plan_;
  TraceOptions options_;
  Sink sink_;
  int last_shown_;           // step
  int steps_ = 0;            // so far
  std::uint64_t bytes_ = 0;  // the same
  std::uint64_t longest_ = 0;
  int left_out_ = 0, in_part_ = 0;                  // steps
  std::set<std::pair<int, int>> named_;             // tracks, by process and thread
  std::vector<memoryx::StoreLog::Update> updates_;  // of steps whose update goes on
  std::vector<memoryx::StoreLog::Use> uses_;        // the same
};

}  // namespace wafersim::tools
