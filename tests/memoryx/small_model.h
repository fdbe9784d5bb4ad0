#pragma once
// A store of three tensors and a link of one channel an edge, for tests of streams.

#include <cstddef>

#include "memoryx/link_timing.h"
#include "memoryx/parameter_store.h"
#include "memoryx/training.h"

namespace wafersim::memoryx {

// wte: 4 token ids of 2 features at 0; wpe: 3 positions at 8; bias: 3 elements at 14. Weight e is e + 1.
inline ParameterStore small_store() {
  ParameterTable table;
  table.add("wte", {4, 2}, ParameterEntry::Initial::normal);
  table.add("wpe", {3, 2}, ParameterEntry::Initial::normal);
  table.add("bias", {3}, ParameterEntry::Initial::zero);
  ParameterStore store(std::move(table));
  for (std::size_t e = 0; e < store.size(); ++e) store.weights()[e] = static_cast<float>(e + 1);
  return store;
}

// Two sequences of three tokens.
inline TrainingSpec small_training() {
  TrainingSpec training;
  training.embedding = {0, 8, {}, 2};
  training.batch = 2;
  training.sequence = 3;
  training.update.loss_scale = no_loss_scale();
  return training;
}
inline StepBatch small_batch() { return {{1, 3, 1, 0, 2, 1}, {3, 1, 0, 2, 1, 3}}; }

// A word a cycle, three rows, no latency.
inline LinkTiming small_timing() {
  LinkTiming timing;
  timing.rows = 3;
  timing.pitch = 18;
  timing.channels_per_edge = 1;
  timing.word_numerator = 1;
  return timing;
}

constexpr Port west_port(int row) { return {Port::Side::west, static_cast<std::uint16_t>(row)}; }
constexpr Port east_port(int row) { return {Port::Side::east, static_cast<std::uint16_t>(row)}; }

}  // namespace wafersim::memoryx
