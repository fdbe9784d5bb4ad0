#pragma once
// The file of --vcd and what writes it. Its bytes are in FILE.PID.tmp until it is committed.

#include <filesystem>
#include <optional>

#include "sim/atomic_file.h"
#include "tools/trainer/leftovers.h"
#include "tools/trainer/mesh_vcd.h"

namespace wafersim::tools {

class VcdFile {
 public:
  // Removes what runs that were killed have left of it. clock: of the machine, Hz. Error(config) when the file cannot be made; later, when
  // bytes cannot be written, Error(output).
  VcdFile(const std::filesystem::path& path, double clock);

  MeshVcd& vcd() { return vcd_; }
  const std::filesystem::path& temporary() const { return file_->temporary(); }
  void commit() { file_->commit(); }

 private:
  std::optional<sim::AtomicFile> file_;
  std::optional<FileHold> hold_;
  MeshVcd vcd_;
};

}  // namespace wafersim::tools
