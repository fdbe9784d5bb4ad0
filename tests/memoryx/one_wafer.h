#pragma once
// A collector and the reader of the one wafer whose words it gets, over the link of small_model.h.

#include "memoryx/gradient_collector.h"
#include "tests/memoryx/small_model.h"

namespace wafersim::memoryx {

struct OneWafer {
  OneWafer(const std::vector<const CallStream*>& streams, const TrainingSpec& training, ParameterStore& store)
      : collector(streams, training, store), reader(streams, small_timing(), 1, 0, collector) {}
  void begin_step() {
    reader.begin_step();
    collector.begin_step();
  }

  GradientCollector collector;
  GradientReader reader;
};

}  // namespace wafersim::memoryx
