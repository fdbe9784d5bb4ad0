#include "fabric/xy_network.h"

#include <bit>
#include <fmt/format.h>

#include "sim/error.h"

namespace wafersim::fabric {
namespace {

// Ports; the same number names an input and an output on that side. Opposite sides differ in the last bit.
constexpr std::uint32_t east = 0;
constexpr std::uint32_t west = 1;
constexpr std::uint32_t south = 2;
constexpr std::uint32_t north = 3;
constexpr std::uint32_t ramp = 4;
constexpr std::uint32_t ports = 5;

constexpr std::uint32_t output_stride = 8;  // outputs a router in the arrays
constexpr std::uint8_t full = 1U << ports;  // in a request: the queue behind the output is full
constexpr std::uint64_t x_hop = 1;
constexpr std::uint64_t y_hop = 1U << 12;
constexpr std::uint64_t x_mask = 0xfff;
constexpr std::uint64_t y_mask = 0xfff000;
constexpr int west_bit = 24;
constexpr int north_bit = west_bit + 1;
constexpr int payload_bit = 32;
constexpr std::array<std::uint64_t, ports> hop = {x_hop, x_hop, y_hop, y_hop, 0};  // by output, taken off the remaining way

constexpr std::uint32_t opposite(std::uint32_t side) { return side ^ 1U; }

// The output that a flit wants in the router where it now is. Free of branches: which way a flit turns cannot be predicted.
std::uint32_t wanted_output(std::uint64_t flit) {
  const std::uint32_t along_x = (flit & x_mask) != 0 ? 1 : 0;
  const std::uint32_t along_y = (flit & y_mask) != 0 ? 1 - along_x : 0;
  const std::uint32_t arrived = 1 - along_x - along_y;
  const auto signs = static_cast<std::uint32_t>(flit >> west_bit);
  return along_x * (east + (signs & 1U)) + along_y * (south + (signs >> 1 & 1U)) + arrived * ramp;
}

// By the port at which the search starts (5 = 0) and the ports that ask: the first port from there on, in a circle, that asks.
constexpr auto winners = [] {
  std::array<std::array<std::uint8_t, 1 << ports>, ports + 1> table{};
  for (std::uint32_t start = 0; start <= ports; ++start) {
    for (std::uint32_t asking = 1; asking < 1U << ports; ++asking) {
      std::uint32_t port = start % ports;
      while ((asking >> port & 1U) == 0) port = (port + 1) % ports;
      table[start][asking] = static_cast<std::uint8_t>(port);
    }
  }
  return table;
}();

std::uint32_t checked(int value, int low, int high, const char* key) {
  if (value < low || value > high) {
    throw sim::Error(sim::ErrorCategory::config, fmt::format("{} = {} is outside {}..{}", key, value, low, high));
  }
  return static_cast<std::uint32_t>(value);
}

}  // namespace

XyNetwork::XyNetwork(const FabricSpec& spec)
    : width_(checked(spec.width, 1, max_side, "fabric.width")),
      routers_(width_ * checked(spec.height, 1, max_side, "fabric.height")),
      depth_(checked(spec.router_queue_words, 1, max_queue_words, "fabric.router_queue_words")),
      ramp_cycles_(checked(spec.ramp_cycles, 0, max_ramp_cycles, "fabric.ramp_cycles")) {
  if (routers_ > static_cast<std::uint32_t>(max_routers)) {
    throw sim::Error(sim::ErrorCategory::config,
                     fmt::format("fabric.width x fabric.height = {} x {} is more than {} routers", spec.width, spec.height, max_routers));
  }
  if (spec.hop_cycles != 1) {
    throw sim::Error(sim::ErrorCategory::unsupported,
                     fmt::format("fabric.hop_cycles = {}: the XY policy takes 1 cycle a hop", spec.hop_cycles));
  }
  const std::size_t outputs = std::size_t{routers_} * output_stride;
  flits_.resize(std::size_t{routers_} * ports * depth_);
  lengths_.resize(std::size_t{routers_} * ports);
  requests_.resize(outputs);
  turns_.resize(outputs);
  wanted_.resize((outputs + 63) / 64);
  grants_.resize(std::size_t{routers_} * ports);
  ramp_used_.resize(routers_);
  next_injection_.resize(routers_);
  ramps_.resize(ramp_cycles_ + 1);
}

// Pointers in registers: stores of bytes may alias the members, and would make the compiler load them again for every flit.
struct XyNetwork::Queues {
  Flit* flits;
  std::uint8_t* lengths;
  std::uint8_t* requests;
  std::uint64_t* wanted;
  std::uint32_t inputs;  // of the mesh
  std::uint32_t depth;
  std::array<std::int32_t, ports> neighbour;  // by output: distance to the router behind it

  // Lets `port` ask for `output` if `asks`.
  void request(std::uint32_t output, std::uint32_t port, bool asks) const {
    requests[output] |= static_cast<std::uint8_t>(std::uint32_t{asks} << port);
    wanted[output / 64] |= std::uint64_t{asks} << output % 64;
  }

  void push(std::uint32_t router, std::uint32_t port, Flit flit) const {
    const std::uint32_t input = router * ports + port;
    const std::uint32_t length = lengths[input]++;
    flits[std::size_t{length} * inputs + input] = flit;
    request(router * output_stride + wanted_output(flit), port, length == 0);
    if (length + 1 == depth && port != ramp) requests[(router + neighbour[port]) * output_stride + opposite(port)] |= full;
  }

  // Takes out the first flit of a queue, which asked for `output`.
  Flit pop(std::uint32_t router, std::uint32_t port, std::uint32_t output) const {
    const std::uint32_t input = router * ports + port;
    const std::uint32_t length = lengths[input]--;
    const Flit flit = flits[input];
    const auto others = static_cast<std::uint8_t>(requests[output] & ~(1U << port));
    requests[output] = others;
    wanted[output / 64] &= ~(std::uint64_t{(others & ~full) == 0} << output % 64);
    if (length > 1) {
      for (std::uint32_t n = 1; n < length; ++n) flits[(n - 1) * std::size_t{inputs} + input] = flits[n * std::size_t{inputs} + input];
      request(router * output_stride + wanted_output(flits[input]), port, true);
    }
    if (length == depth && port != ramp) {
      requests[(router + neighbour[port]) * output_stride + opposite(port)] &= static_cast<std::uint8_t>(~full);
    }
    return flit;
  }
};

XyNetwork::Queues XyNetwork::queues() {
  const auto row = static_cast<std::int32_t>(width_);
  return {flits_.data(), lengths_.data(), requests_.data(), wanted_.data(), routers_ * ports, depth_, {1, -1, row, -row, 0}};
}

void XyNetwork::inject(std::uint32_t node, std::uint32_t destination, std::uint32_t payload) {
  const std::uint32_t x = node % width_;
  const std::uint32_t y = node / width_;
  const std::uint32_t to_x = destination % width_;
  const std::uint32_t to_y = destination / width_;
  const Flit x_hops = to_x > x ? to_x - x : x - to_x;
  const Flit y_hops = to_y > y ? to_y - y : y - to_y;
  const Flit flit =
      x_hops * x_hop | y_hops * y_hop | Flit{to_x < x} << west_bit | Flit{to_y < y} << north_bit | Flit{payload} << payload_bit;
  ramps_[(cycle_ + ramp_cycles_) % ramps_.size()].push_back({node, flit});
  ++ramp_used_[node];
  next_injection_[node] = cycle_ + 1;
  ++in_flight_;
}

std::span<const XyNetwork::Delivery> XyNetwork::step() {
  land_ramps();
  evaluate();
  commit();
  ++cycle_;
  return deliveries_;
}

// Flits that have come up their ramp enter its queue and compete in this very cycle.
void XyNetwork::land_ramps() {
  const Queues q = queues();
  std::vector<OnRamp>& landing = ramps_[cycle_ % ramps_.size()];
  for (const OnRamp& arrival : landing) q.push(arrival.node, ramp, arrival.flit);
  landing.clear();
}

void XyNetwork::evaluate() {
  const std::uint8_t* requests = requests_.data();
  std::uint8_t* turns = turns_.data();
  std::uint32_t* grant = grants_.data();
  const std::uint64_t* wanted = wanted_.data();
  const std::size_t groups = wanted_.size();
  for (std::size_t group = 0; group < groups; ++group) {
    for (std::uint64_t left = wanted[group]; left != 0; left &= left - 1) {
      const auto output = static_cast<std::uint32_t>(group * 64 + std::countr_zero(left));
      const std::uint32_t request = requests[output];
      if ((request & full) != 0) continue;
      const std::uint8_t port = winners[turns[output]][request];
      turns[output] = port + 1;
      *grant++ = output << 3 | port;
    }
  }
  granted_ = static_cast<std::size_t>(grant - grants_.data());
}

void XyNetwork::commit() {
  const Queues q = queues();
  deliveries_.clear();
  const std::uint32_t* end = grants_.data() + granted_;
  for (const std::uint32_t* grant = grants_.data(); grant != end; ++grant) {
    const std::uint32_t output = *grant >> 3;
    const std::uint32_t port = *grant & 7U;
    const std::uint32_t router = output / output_stride;
    const std::uint32_t side = output % output_stride;
    const Flit flit = q.pop(router, port, output);
    if (port == ramp) --ramp_used_[router];
    if (side == ramp) {
      deliveries_.push_back({router, static_cast<std::uint32_t>(flit >> payload_bit), cycle_ + ramp_cycles_});
    } else {
      q.push(router + q.neighbour[side], opposite(side), flit - hop[side]);
    }
  }
  flit_hops_ += granted_ - deliveries_.size();
  in_flight_ -= deliveries_.size();
}

}  // namespace wafersim::fabric
