#include "workloads/mapping_candidates.h"

#include <algorithm>

#include "workloads/head_map.h"

namespace wafersim::workloads {
namespace {

// The values ceil(whole / parts) for parts = 1, 2, ..., `most`, each with the fewest parts, largest value first.
std::vector<int> shares(int whole, int most) {
  std::vector<int> values;
  for (int parts = 1; parts <= std::min(whole, most); ++parts) {
    const int share = ceil_divide(whole, parts);
    if (values.empty() || values.back() != share) values.push_back(share);
  }
  return values;
}

// Fewest columns first: for every number of features a PE that a head gives, the fewest columns; and where heads take whole columns at the
// cost of padding, so many columns more, without heads, as the residual stream needs for fewer features a PE.
std::vector<ColumnChoice> every_column_choice(const ModelShape& shape) {
  std::vector<ColumnChoice> of_heads, all;
  for (int count = 1; count <= shape.head(); ++count) {
    const int h = head_rows(shape, count);
    if (of_heads.empty() || of_heads.back().features != h) of_heads.push_back({count, shape.heads * count, h});
  }
  for (std::size_t i = 0; i < of_heads.size(); ++i) {
    all.push_back(of_heads[i]);
    if (i + 1 == of_heads.size() || shape.group() > 1) continue;
    for (int h = ceil_divide(shape.width, of_heads[i].columns) - 1; h > 0; --h) {
      const int columns = ceil_divide(shape.width, h);
      if (columns >= of_heads[i + 1].columns) break;
      if (ceil_divide(shape.width, columns) == h) all.push_back({of_heads[i].columns_per_head, columns, h});
    }
  }
  return all;
}

std::vector<int> lane_choices(int pinned, int batch, int most_lanes) {
  if (pinned > 0) return {pinned};
  std::vector<int> lanes;
  for (const int samples : shares(batch, most_lanes)) lanes.push_back(ceil_divide(batch, samples));
  return lanes;
}

// Layouts of micro-batches of `batch` samples.
void add_layouts(const RunSpec& run, const ModelShape& shape, int batch, std::vector<Layout>& layouts) {
  const fabric::Rectangle& part = run.mapping.rectangle;
  const TrainingSpec& training = run.training;
  for (const ColumnChoice& choice : column_choices(run, shape)) {
    for (const int lanes : lane_choices(run.mapping.lanes, batch, part.width / choice.columns)) {
      const int samples = ceil_divide(batch, lanes);
      if (std::int64_t{lanes} * choice.columns > part.width || samples > part.height) continue;
      const int pinned = run.mapping.tokens_per_pe;
      for (const int t : pinned > 0 ? std::vector<int>{pinned} : shares(training.sequence, part.height / samples)) {
        const int rows = ceil_divide(training.sequence, t);
        if (std::int64_t{samples} * rows > part.height) continue;
        Layout layout = make_layout(run, shape, choice, lanes, samples, t);
        layout.batch = batch;
        layouts.push_back(layout);
      }
    }
  }
}

}  // namespace

std::vector<int> feature_choices(const ModelShape& shape) {
  std::vector<int> features;
  for (const ColumnChoice& choice : every_column_choice(shape)) features.push_back(choice.features);
  std::sort(features.rbegin(), features.rend());
  features.erase(std::unique(features.begin(), features.end()), features.end());
  return features;
}

std::vector<ColumnChoice> column_choices(const RunSpec& run, const ModelShape& shape) {
  const int pinned = run.mapping.features_per_pe, most_columns = std::min(run.mapping.rectangle.width, run.mapping.rectangle.height);
  std::vector<ColumnChoice> choices = every_column_choice(shape);
  const auto unfit = [&](const ColumnChoice& choice) { return (pinned > 0 && choice.features != pinned) || choice.columns > most_columns; };
  choices.erase(std::remove_if(choices.begin(), choices.end(), unfit), choices.end());
  return choices;
}

Layout make_layout(const RunSpec& run, const ModelShape& shape, const ColumnChoice& choice, int lanes, int samples_per_lane, int t) {
  Layout layout;
  layout.lanes = lanes;
  layout.columns = choice.columns;
  layout.rows = run.mapping.rectangle.height;
  layout.batch = lanes * samples_per_lane;
  layout.sequence = run.training.sequence;
  layout.heads = shape.heads;
  layout.columns_per_head = choice.columns_per_head;
  layout.samples_per_lane = samples_per_lane;
  layout.rows_per_sequence = ceil_divide(layout.sequence, t);
  layout.tokens_per_pe = t;
  return layout;
}

std::vector<Layout> candidate_layouts(const RunSpec& run, const ModelShape& shape) {
  std::vector<Layout> layouts;
  const int pinned = run.mapping.micro_batches, batch = run.batch_per_system();
  for (int count = pinned > 0 ? pinned : 1; count <= (pinned > 0 ? pinned : batch); ++count)
    if (batch % count == 0) add_layouts(run, shape, batch / count, layouts);
  return layouts;
}

}  // namespace wafersim::workloads
