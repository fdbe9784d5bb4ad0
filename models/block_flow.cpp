#include "models/block_flow.h"

#include <algorithm>
#include <array>
#include <limits>

#include "sim/error.h"

namespace wafersim::models {

InFlow::InFlow(const memoryx::LinkTiming& timing)
    : word_cycles_(4.0 / timing.bytes_per_cycle()),
      latency_(static_cast<double>(timing.latency_cycles + timing.edge_latency_cycles)),
      channels_(static_cast<std::size_t>(timing.channels())),
      busy_(channels_.size()) {}

namespace {

constexpr std::array kinds = {LinkWords::start, LinkWords::targets, LinkWords::rows, LinkWords::columns};

}  // namespace

void InFlow::offer(const LinkLoad& load, double from, double to, const BlockSupply& supply) {
  coming_.emplace_back();
  coming_.back().load = &load;
  coming_.back().from = from;
  coming_.back().to = to;
  coming_.back().supply = supply;
  coming_.back().words.swap(spare_words_);
  coming_.back().words.clear();
  const bool has_words = from <= 0 || load.has_in;
  for (std::size_t c = 0; has_words && c < channels_.size(); ++c) {
    if (load.in[c].like >= 0) continue;
    const std::vector<LinkLoad::Part>& parts = load.in[c].parts;
    if (channels_[c].ports.size() < parts.size()) channels_[c].ports.resize(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      double words = 0;
      for (const LinkWords kind : kinds) {
        const double sent = parts[i].sent(kind, from, to);
        if (sent > 0) channels_[c].ports[i].add(kind, sent, parts[i].places[static_cast<std::size_t>(kind)]);
        words += sent;
      }
      if (words > 0) coming_.back().words.push_back({c, i, words, from > 0 ? 0 : parts[i].ahead()});
    }
  }
  send_blocks();
}

// As far as known is when the blocks before them leave the queues.
void InFlow::send_blocks() {
  while (on_the_way_ < coming_.size()) {
    Coming& block = coming_[on_the_way_];
    starts_ = starts_ || start(block);
    if (!starts_ || !finish(block)) return;
    starts_ = false;
    ++on_the_way_;
  }
}

template <class Visit>
void InFlow::for_each_part(const Coming& block, Visit&& visit) {
  for (const Coming::Words& words : block.words)
    visit(words, channels_[words.channel].ports[words.part].queue, block.load->in[words.channel].parts[words.part]);
}

bool InFlow::start(Coming& block) {
  bool known = true;
  for_each_part(block, [&](const Coming::Words& words, const CreditQueue& queue, const LinkLoad::Part& part) {
    known = known && queue.knows_start(words.of_a_port, part.queue);
  });
  if (!known) return false;
  block.started = std::numeric_limits<double>::infinity();
  if (block.words.empty()) return true;
  std::vector<Sending>& sending = sending_;
  sending.assign(channels_.size(), {});
  for_each_part(block, [&](const Coming::Words& words, const CreditQueue& queue, const LinkLoad::Part& part) {
    Sending& here = sending[words.channel];
    here.words += part.ports * words.of_a_port;
    here.ahead += part.ports * words.ahead;
    // With its queues empty and its kernel waiting, a channel sends what one round trip's credits allow.
    here.cycles = std::max(here.cycles, words.of_a_port * (latency_ + 2) / part.queue);
    here.free = std::max(here.free, queue.start(words.of_a_port, part.queue));
  });
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    const int like = block.load->in[c].like;
    const Sending& here = sending[like < 0 ? c : static_cast<std::size_t>(like)];
    if (here.words <= 0) continue;
    busy_[c] += here.words * word_cycles_;
    words_ += here.words;
    LinkSpan& edge = block.edges[c < channels_.size() / 2 ? west_edge : east_edge];
    if (like >= 0) {
      edge.words += here.words;
      continue;
    }
    const double at_once = std::max(here.cycles, here.words * word_cycles_), cycles = std::max(at_once, block.supply.cycles);
    const double ahead_at_once = here.ahead * word_cycles_, ahead = std::max(ahead_at_once, block.supply.start_cycles);
    const double free = std::max(channels_[c].free, here.free), begin = std::max(free, block.supply.begin);
    channels_[c].free = begin + cycles;
    channels_[c].cycles = cycles;
    channels_[c].words = here.words;
    channels_[c].waited = begin - free + (cycles - at_once);
    edge.add(here.words, begin, begin + cycles);
    block.started = std::min(block.started, begin);
    is_sent(block, channels_[c], channels_[c].free);
    if (here.ahead > 0) {
      block.ready = std::max(block.ready, begin + ahead + latency_);
      block.ready_at_once = std::max(block.ready_at_once, free + ahead_at_once + latency_);
    }
  }
  return true;
}

// A channel is done with a block at `end`.
void InFlow::is_sent(Coming& block, const Channel& channel, double end) const {
  block.arrived = std::max(block.arrived, end + latency_);
  block.arrived_at_once = std::max(block.arrived_at_once, end + latency_ - channel.waited);
}

bool InFlow::finish(Coming& block) {
  bool known = true;
  for_each_part(block, [&](const Coming::Words& words, const CreditQueue& queue, const LinkLoad::Part& part) {
    known = known && queue.knows_end(words.of_a_port, part.queue);
  });
  if (!known) return false;
  double end = std::max(block.supply.begin, last_sent_);
  for_each_part(block, [&](const Coming::Words& words, CreditQueue& queue, const LinkLoad::Part& part) {
    Channel& channel = channels_[words.channel];
    if (words.ahead > 0) {  // the channel's other words come behind them
      channel.words -= part.ports * words.ahead;
      channel.free = std::max(channel.free, queue.end(words.ahead, part.queue, word_cycles_) + channel.words * word_cycles_);
    }
    channel.free = std::max(channel.free, queue.send(words.of_a_port, part.queue, channel.cycles / words.of_a_port));
    end = std::max(end, channel.free);
    is_sent(block, channel, channel.free);
  });
  sent_.push_back({std::clamp(block.started, last_sent_, end), end});
  last_sent_ = end;
  return true;
}

InFlow::Block InFlow::consume(double begin, double cycles) {
  sim::require_invariant(!coming_.empty() && (on_the_way_ > 0 || starts_), "a kernel uses a block that is on the link");
  Coming& used = coming_.front();
  // Words for which there is no room are sent when the kernel makes some.
  if (on_the_way_ == 0)
    for_each_part(used, [&](const Coming::Words& words, const CreditQueue& queue, const LinkLoad::Part& part) {
      const Channel& channel = channels_[words.channel];
      const double blocked = queue.blocked(words.of_a_port, part.queue);
      if (blocked > 0) is_sent(used, channel, begin + blocked / words.of_a_port * channel.cycles);
    });
  Block block;
  block.end = std::max(std::max(begin, used.ready) + cycles, used.arrived);
  block.supply_wait = block.end - std::max(std::max(begin, used.ready_at_once) + cycles, used.arrived_at_once);
  std::copy(std::begin(used.edges), std::end(used.edges), std::begin(block.edges));
  // What is sent ahead has left the queues when the kernel begins.
  const double begins = std::max(begin, used.ready);
  for (const Coming::Words& words : used.words) {
    Channel& channel = channels_[words.channel];
    for (const LinkWords kind : kinds) {
      const double sent = used.load->in[words.channel].parts[words.part].sent(kind, used.from, used.to);
      const bool ahead = kind == LinkWords::start || kind == LinkWords::targets;
      if (sent > 0) channel.ports[words.part].use(kind, sent, ahead ? begin : begins, ahead ? begins : block.end);
    }
  }
  send_blocks();
  sim::require_invariant(on_the_way_ > 0, "a block that a kernel has used is sent");
  spare_words_.swap(used.words);
  coming_.pop_front();
  --on_the_way_;
  return block;
}

std::optional<InFlow::Sent> InFlow::next_sent() {
  if (sent_.empty()) return std::nullopt;
  const Sent next = sent_.front();
  sent_.pop_front();
  return next;
}

namespace {

// Of a port's words out.
double room(const LinkLoad::Part& part) { return part.queue + part.places[part.words[2] > 0 ? 2 : 3]; }

}  // namespace

OutFlow::OutFlow(const memoryx::LinkTiming& timing)
    : word_cycles_(4.0 / timing.bytes_per_cycle()),
      latency_(static_cast<double>(timing.latency_cycles + timing.edge_latency_cycles)),
      free_(static_cast<std::size_t>(timing.channels())),
      sent_(free_.size()),
      busy_(free_.size()) {}

OutFlow::Block OutFlow::produce(const LinkLoad& load, double share, double begin, double cycles) {
  Block block;
  block.produced = begin + cycles;
  if (!load.has_out) return block;
  const auto for_each_channel = [&](auto&& visit) {
    for (std::size_t c = 0; c < sent_.size(); ++c)
      if (const double words = load.out[c].like < 0 ? load.out[c].words() * share : 0; words > 0)
        visit(c, load.out[c].parts, words, std::max(free_[c], begin), words * word_cycles_);
  };
  for_each_channel([&](std::size_t c, const std::vector<LinkLoad::Part>& parts, double all, double start, double needed) {
    sent_[c].resize(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const double words = parts[i].others() * share;
      if (words <= 0) continue;
      // The last word finds room when the word that is a queue's length before it has left.
      const double total = sent_[c][i].total(), before = total + words - room(parts[i]);
      block.produced = std::max(block.produced, before > total ? start + (before - total) / words * needed : sent_[c][i].time_of(before));
    }
    busy_[c] += needed;
    words_ += all;
  });
  for_each_channel([&](std::size_t c, const std::vector<LinkLoad::Part>& parts, double all, double start, double needed) {
    const double end = std::max(start + needed, block.produced + word_cycles_);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      sent_[c][i].extend(parts[i].others() * share, start, end);
      sent_[c][i].forget(sent_[c][i].total() - room(parts[i]));
    }
    free_[c] = end;
    block.edges[c < sent_.size() / 2 ? west_edge : east_edge].add(all, start, end);
    block.arrived = std::max(block.arrived, end + latency_);
  });
  for (std::size_t c = 0; c < sent_.size(); ++c)
    if (const double words = load.out[c].like < 0 ? 0 : load.out[c].words() * share; words > 0) {
      busy_[c] += words * word_cycles_;
      words_ += words;
      block.edges[c < sent_.size() / 2 ? west_edge : east_edge].words += words;
    }
  return block;
}

}  // namespace wafersim::models
