#pragma once
// Results of a sweep as one table: a row a point, in the sweep's order; columns: id, the axes, the figures (point_result.h), error. A point
// that failed has an error and no figures; one without a result neither.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/sweep/sweep_directory.h"

namespace wafersim::tools {

struct SweepTable {
  std::vector<std::string> columns;
  std::vector<std::vector<nlohmann::json>> rows;  // null: empty
  std::size_t good = 0, failed = 0;               // rows with a result
};

SweepTable gather(const SweepDirectory& directory, const std::vector<SweepPoint>& points);

std::string to_csv(const SweepTable& table);  // RFC 4180 with line feeds; numbers in the shortest digits that read back the same
// A new database with the table `points`; appears whole or not at all. Error(output).
void write_sqlite(const SweepTable& table, const std::filesystem::path& path);

}  // namespace wafersim::tools
