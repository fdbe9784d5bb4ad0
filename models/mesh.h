#pragma once
// A mesh that owns its blocks and is driven directly, without SystemC: for tests, benches and samples. The wafer's SystemC modules own the
// same blocks and use the same driver.

#include "models/core_spec.h"
#include "models/mesh_driver.h"
#include "models/plan.h"

namespace wafersim::models {

struct MeshOptions {
  int block_width = 16;
  int block_height = 16;
  int threads = 1;
  bool arithmetic = true;  // core_block.h
};

std::vector<ProgramImage> make_images(const WaferPlan& plan, const CoreSpec& spec);
fabric::FabricBlock make_fabric_block(const WaferPlan& plan, const fabric::FabricSpec& fabric, const CoreSpec& core,
                                      const fabric::Rectangle& place);
CoreBlock make_core_block(const WaferPlan& plan, const CoreSpec& core, const std::vector<ProgramImage>& images, fabric::FabricBlock& fabric,
                          SramBlock& sram, bool arithmetic = true);
SramBlock make_sram_block(const WaferPlan& plan, const fabric::Rectangle& place);

class Mesh {
 public:
  using Cycle = fabric::Cycle;

  Mesh(const WaferPlan& plan, const fabric::FabricSpec& fabric, const CoreSpec& core, const MeshOptions& options,
       EdgePorts* edges = nullptr);

  MeshDriver& driver() { return *driver_; }
  const MeshDriver& driver() const { return *driver_; }
  std::uint8_t* sram(fabric::Coord c, int address);
  float read_float(fabric::Coord c, int address, int index = 0);
  void write_float(fabric::Coord c, int address, int index, float value);
  std::uint64_t hops() const;

 private:
  std::vector<ProgramImage> images_;
  std::vector<std::unique_ptr<fabric::FabricBlock>> fabrics_;
  std::vector<std::unique_ptr<SramBlock>> srams_;
  std::vector<std::unique_ptr<CoreBlock>> cores_;
  std::unique_ptr<MeshDriver> driver_;
};

}  // namespace wafersim::models
