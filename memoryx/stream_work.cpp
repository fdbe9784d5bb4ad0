#include "memoryx/stream_work.h"

#include <algorithm>
#include <map>
#include <utility>

#include "memoryx/tensor_index.h"

namespace wafersim::memoryx {
namespace {

// Words of a call's start and targets; they are sent ahead of the others.
bool is_ahead(const StreamWord& word) {
  switch (word.low.kind) {
    case StreamValue::Kind::start:
    case StreamValue::Kind::word:
    case StreamValue::Kind::target: return true;
    default: return false;
  }
}

// How many runs of consecutive elements there are, 0 where they fill most of the span that they lie in.
double runs_of(std::vector<std::size_t>& elements) {
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  if (2 * elements.size() > elements.back() - elements.front()) return 0;
  std::size_t runs = 1;
  for (std::size_t i = 1; i < elements.size(); ++i) runs += elements[i] == elements[i - 1] + 1 ? 0 : 1;
  return static_cast<double>(runs);
}

// What the blocks of a call take of one tensor.
class Reads {
 public:
  // is_vector: a tensor of one dimension, which is always read together.
  Reads(int blocks, bool is_vector) : blocks_(static_cast<std::size_t>(blocks)), is_vector_(is_vector) {}
  void element(int block, std::size_t index) { blocks_[static_cast<std::size_t>(block)].push_back(index); }
  void row_element(int block, double width) {
    run_ = width;
    ++row_elements_;
    first_ = std::min(first_, block);
    last_ = std::max(last_, block);
  }
  void add_to(std::vector<TensorUse>& uses, int tensor) {
    const double blocks = static_cast<double>(blocks_.size());
    if (row_elements_ > 0) uses.push_back({tensor, row_elements_, run_, true, first_ / blocks, (last_ + 1) / blocks});
    double elements = 0, scattered = 0, runs = 0;
    int first = static_cast<int>(blocks_.size()), last = -1;
    for (int b = 0; b < static_cast<int>(blocks_.size()); ++b) {
      std::vector<std::size_t>& block = blocks_[static_cast<std::size_t>(b)];
      if (block.empty()) continue;
      first = std::min(first, b);
      last = b;
      const double streamed = static_cast<double>(block.size());
      const double runs_here = is_vector_ ? 0 : runs_of(block);
      elements += streamed;
      scattered += runs_here > 0 ? streamed : 0;
      runs += runs_here;
    }
    const double run = 2 * scattered > elements ? scattered / runs : 0;
    if (elements > 0) uses.push_back({tensor, elements, run, false, first / blocks, (last + 1) / blocks});
  }

 private:
  std::vector<std::vector<std::size_t>> blocks_;
  bool is_vector_;
  double row_elements_ = 0, run_ = 0;
  int first_ = blocks_a_call, last_ = 0;
};

CallWork work_of(const CallStream& stream, const LinkTiming& timing, const ParameterTable& table, const TensorIndex& index,
                 const TrainingSpec& training) {
  CallWork work;
  work.parts = blocks_of(stream);
  std::map<int, Reads> reads;
  const std::vector<std::uint8_t> blocks = block_numbers(stream, timing);
  for (std::size_t i = 0; i < stream.in.size(); ++i) {
    const StreamWord& word = stream.in[i];
    const int block = blocks[i];
    const auto read = [&](const StreamValue& v) {
      const bool of_row = v.kind == StreamValue::Kind::token_row;
      if (!of_row && v.kind != StreamValue::Kind::parameter) return;
      const int tensor = index.of(v.index);
      Reads& of = reads.try_emplace(tensor, work.parts, table[tensor].shape.size() == 1).first->second;
      if (!of_row)
        of.element(block, v.index);
      else if (v.token != StreamValue::no_token)
        of.row_element(block, v.width);
    };
    read(word.low);
    if (word.packed()) read(word.high);
  }
  for (auto& [tensor, of] : reads) of.add_to(work.reads, tensor);
  std::stable_sort(work.reads.begin(), work.reads.end(), [](const TensorUse& a, const TensorUse& b) { return a.from < b.from; });

  std::map<int, double> added;
  double rows = 0;
  for (const CallStream::PortWords& out : stream.out)
    for (const GradientWord& word : out.words) {
      if (word.kind == GradientWord::Kind::parameter) ++added[index.of(word.index)];
      if (word.kind == GradientWord::Kind::token_row) ++rows;
    }
  for (const auto& [tensor, elements] : added) work.gradients.push_back({tensor, elements, 0});
  if (rows > 0) {
    const double width = training.embedding.width;
    const auto add = [&](std::size_t row) { work.gradients.push_back({index.of(row), rows, width, true}); };
    add(training.embedding.token);
    for (const std::optional<std::size_t>& row : {training.embedding.position, training.embedding.type})
      if (row) add(*row);
  }
  return work;
}

}  // namespace

int blocks_of(const CallStream& stream) {
  const bool reads = std::any_of(stream.in.begin(), stream.in.end(), [](const StreamWord& word) { return !is_ahead(word); });
  return reads || !stream.out.empty() ? blocks_a_call : 1;
}

std::vector<std::uint8_t> block_numbers(const CallStream& stream, const LinkTiming& timing) {
  const auto blocks = static_cast<std::size_t>(blocks_of(stream));
  std::vector<std::size_t> words(static_cast<std::size_t>(timing.channels())), before = words;
  for (const StreamWord& word : stream.in) words[static_cast<std::size_t>(timing.channel_of(word.port))] += is_ahead(word) ? 0 : 1;
  std::vector<std::uint8_t> numbers;
  for (const StreamWord& word : stream.in) {
    const auto channel = static_cast<std::size_t>(timing.channel_of(word.port));
    numbers.push_back(is_ahead(word) ? 0 : static_cast<std::uint8_t>(before[channel]++ * blocks / words[channel]));
  }
  return numbers;
}

StepWork work_of(const std::vector<const CallStream*>& streams, const LinkTiming& timing, const ParameterTable& table,
                 const TrainingSpec& training, int micro_batches) {
  StepWork work;
  work.micro_batches = micro_batches;
  work.systems = training.systems;
  for (const ParameterEntry& entry : table.entries()) work.tensor_elements.push_back(static_cast<double>(entry.size));
  const TensorIndex index(table);
  for (const CallStream* stream : streams) work.calls.push_back(work_of(*stream, timing, table, index, training));
  return work;
}

}  // namespace wafersim::memoryx
