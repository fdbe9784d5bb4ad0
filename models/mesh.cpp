#include "models/mesh.h"

#include <algorithm>
#include <cstring>

#include "sim/error.h"

namespace wafersim::models {

std::vector<ProgramImage> make_images(const WaferPlan& plan, const CoreSpec& spec) {
  std::vector<ProgramImage> images;
  for (const Program& program : plan.programs) images.push_back(make_image(program, spec));
  return images;
}

fabric::FabricBlock make_fabric_block(const WaferPlan& plan, const fabric::FabricSpec& spec, const CoreSpec& core,
                                      const fabric::Rectangle& place) {
  return fabric::FabricBlock(spec, plan.routes, place, core.input_queue_words,
                             *std::max_element(core.output_queue_words.begin(), core.output_queue_words.end()));
}

SramBlock make_sram_block(const WaferPlan& plan, const fabric::Rectangle& place) {
  SramBlock sram(place.width * place.height, (plan.sram.peak_bytes + 7) / 8 * 8);
  for (const WaferPlan::MemoryImage& image : plan.memory)
    for (std::uint32_t pe = 0; pe < static_cast<std::uint32_t>(place.width * place.height); ++pe)
      std::memcpy(sram.at(pe, image.address), image.bytes.data(), image.bytes.size());
  const std::size_t words = static_cast<std::size_t>(plan.words_per_pe);
  for (int y = 0; y < place.height && words > 0; ++y)
    for (int x = 0; x < place.width; ++x) {
      const std::size_t global =
          static_cast<std::size_t>(place.y + y) * static_cast<std::size_t>(plan.width) + static_cast<std::size_t>(place.x + x);
      std::memcpy(sram.at(static_cast<std::uint32_t>(y * place.width + x), plan.pe_words_address), &plan.pe_words[global * words],
                  4 * words);
    }
  return sram;
}

CoreBlock make_core_block(const WaferPlan& plan, const CoreSpec& spec, const std::vector<ProgramImage>& images, fabric::FabricBlock& fabric,
                          SramBlock& sram, bool arithmetic) {
  std::vector<std::uint8_t> classes;
  const std::uint32_t pes = static_cast<std::uint32_t>(fabric.size());
  const auto global = [&](std::uint32_t pe) {
    return static_cast<std::size_t>(fabric.coord(pe).y) * static_cast<std::size_t>(plan.width) +
           static_cast<std::size_t>(fabric.coord(pe).x);
  };
  for (std::uint32_t pe = 0; pe < pes; ++pe) classes.push_back(plan.pe_class.empty() ? std::uint8_t{0} : plan.pe_class[global(pe)]);
  CoreBlock core(spec, images, std::move(classes), fabric, sram, arithmetic);
  if (plan.start_task >= 0)
    for (std::uint32_t pe = 0; pe < pes; ++pe) core.activate(pe, plan.start_task, 0);
  return core;
}

Mesh::Mesh(const WaferPlan& plan, const fabric::FabricSpec& fabric, const CoreSpec& core, const MeshOptions& options, EdgePorts* edges)
    : images_(make_images(plan, core)) {
  fabric::check_routes(plan.routes);
  std::vector<Block> blocks;
  for (const fabric::Rectangle& place : cut_mesh(plan.width, plan.height, options.block_width, options.block_height)) {
    fabrics_.push_back(std::make_unique<fabric::FabricBlock>(make_fabric_block(plan, fabric, core, place)));
    srams_.push_back(std::make_unique<SramBlock>(make_sram_block(plan, place)));
    cores_.push_back(
        std::make_unique<CoreBlock>(make_core_block(plan, core, images_, *fabrics_.back(), *srams_.back(), options.arithmetic)));
    blocks.push_back({fabrics_.back().get(), cores_.back().get()});
  }
  driver_ = std::make_unique<MeshDriver>(plan.width, plan.height, std::move(blocks), edges, options.threads);
}

std::uint8_t* Mesh::sram(fabric::Coord c, int address) {
  const MeshDriver::Place place = driver_->at(c);
  for (std::size_t i = 0; i < fabrics_.size(); ++i)
    if (fabrics_[i].get() == place.block->fabric) return srams_[i]->at(place.pe, address);
  return nullptr;
}

float Mesh::read_float(fabric::Coord c, int address, int index) {
  float value;
  std::memcpy(&value, sram(c, address + 4 * index), 4);
  return value;
}

void Mesh::write_float(fabric::Coord c, int address, int index, float value) { std::memcpy(sram(c, address + 4 * index), &value, 4); }

std::uint64_t Mesh::hops() const {
  std::uint64_t total = 0;
  for (const auto& f : fabrics_) total += f->hops();
  return total;
}

}  // namespace wafersim::models
