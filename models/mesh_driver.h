#pragma once
// Steps the blocks of a mesh together, cycle by cycle: edge ports in, blocks, edge ports out. Blocks read of each other what the cycle
// before left at their borders, so each does its routers and cores in one go, and threads meet once a cycle. Results do not depend on how
// the mesh is cut into blocks or on the number of threads.

#include <functional>
#include <memory>
#include <vector>

#include "memoryx/stream.h"
#include "models/core_block.h"
#include "models/thread_team.h"

namespace wafersim::models {

struct Block {
  fabric::FabricBlock* fabric = nullptr;
  CoreBlock* core = nullptr;
};

// The far side of the west and east edges. Times are wafer cycles; all calls of a cycle come from one thread.
class EdgePorts {
 public:
  using Cycle = fabric::Cycle;
  // Takes a wavelet into the mesh; false when its router has no room.
  using Enter = std::function<bool(memoryx::Port, fabric::Color, const fabric::Wavelet&)>;
  virtual ~EdgePorts() = default;
  virtual void deliver(Cycle now, const Enter& enter) = 0;  // offers at most one wavelet a port
  // False only when every port's room is what it was when room() was last asked for it.
  virtual bool rooms_changed(Cycle now) = 0;
  virtual bool room(memoryx::Port port, Cycle now) const = 0;
  virtual void leave(memoryx::Port port, Cycle now, fabric::Color color, const fabric::Wavelet& wavelet) = 0;
  virtual Cycle next_event(Cycle now) const = 0;
};

// Rectangles of at most block_width x block_height that tile a mesh, row by row.
std::vector<fabric::Rectangle> cut_mesh(int width, int height, int block_width, int block_height);

class MeshDriver {
 public:
  using Cycle = fabric::Cycle;
  static constexpr Cycle never = EventWheel::never;

  // blocks: one for each rectangle of cut_mesh(width, height, ...), in its order. edges may be null. All outlive the driver.
  MeshDriver(int width, int height, std::vector<Block> blocks, EdgePorts* edges, int threads);
  MeshDriver(const MeshDriver&) = delete;
  MeshDriver& operator=(const MeshDriver&) = delete;

  // Simulates cycle `now`. Cycles without an event may be left out.
  void step(Cycle now);
  // The first cycle after `now` in which something can happen; never when the mesh waits for its edges or is done.
  Cycle next_event(Cycle now) const;
  // Steps from cycle `from` until nothing more happens; returns the cycle after the last event.
  Cycle run(Cycle from);

  bool quiet() const;  // no wavelet in any router and every core finished
  int width() const { return width_; }
  int height() const { return height_; }
  struct Place {
    const Block* block;
    std::uint32_t pe;
  };
  Place at(fabric::Coord c) const;

 private:
  void edges_in(Cycle now);
  void edges_out(Cycle now);
  void step_blocks(std::size_t begin, std::size_t end);

  int width_, height_;
  std::vector<Block> blocks_;
  int columns_ = 0;  // blocks side by side
  EdgePorts* edges_;
  Cycle now_ = 0;                        // that is stepped
  std::function<void(int)> step_share_;  // of a thread
  std::unique_ptr<ThreadTeam> team_;     // null: one thread
};

}  // namespace wafersim::models
