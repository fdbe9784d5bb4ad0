#pragma once
// What a small wafer does, cycle by cycle, as a value change dump. Of each PE:
//   activity  what its core does (models::Activity by number; a comment in the file names them). Of a chunk of several cycles the switch to
//             an output comes first and second cycles of bank conflicts come last: a core counts how many there are and not when.
//   call      number of the kernel call of the step that it works on, or was working on
//   north, east, south, west, ramp    1: its router sends a wavelet there in this cycle
//   router    wavelets that its router holds or that are on their way to it
//   input     wavelets between its router and its core
// So the cycles of an activity are those that the run counts for the PE, and those in which a link is busy are its wavelets.

#include <array>
#include <vector>

#include "models/mesh_driver.h"
#include "models/mesh_observer.h"
#include "tools/trainer/vcd_writer.h"

namespace wafersim::tools {

class MeshVcd : public models::MeshObserver {
 public:
  static constexpr int most_pes = 64;

  MeshVcd(double clock, VcdWriter::Sink sink);

  void begin(fabric::Cycle cycle, const models::MeshDriver& mesh) override;
  void stepped(fabric::Cycle cycle, const models::MeshDriver& mesh) override;
  void end(fabric::Cycle cycle) { vcd_.end(cycle); }  // nothing happens from there on

 private:
  struct Pe {
    models::MeshDriver::Place place;
    int first = 0;  // of its variables
    fabric::Cycle accounted = 0;
    models::Activity waits_for = models::Activity::idle;
    std::array<std::uint64_t, models::activities> cycles{};
    std::array<std::uint64_t, fabric::directions> flits{};
  };
  void core_stepped(Pe& pe, fabric::Cycle cycle);
  void router_stepped(Pe& pe, fabric::Cycle cycle);

  VcdWriter vcd_;
  std::vector<Pe> pes_;
};

}  // namespace wafersim::tools
