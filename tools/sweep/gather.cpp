#include "tools/sweep/gather.h"

#include "tools/sweep/point_result.h"

namespace wafersim::tools {
namespace {

using nlohmann::json;

std::string cell(const json& value) {
  if (value.is_null()) return "";
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  for (std::size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) text.insert(at, 1, '"');
  return '"' + text + '"';
}

std::string line(const std::vector<std::string>& cells) {
  std::string text;
  for (const std::string& one : cells) text += (text.empty() ? "" : ",") + one;
  return text + "\n";
}

}  // namespace

SweepTable gather(const SweepDirectory& directory, const std::vector<SweepPoint>& points) {
  SweepTable table;
  table.columns.emplace_back("id");
  for (const auto& [axis, value] : points.front().values) table.columns.push_back(axis);
  table.columns.insert(table.columns.end(), figure_names().begin(), figure_names().end());
  table.columns.emplace_back("error");
  for (const SweepPoint& point : points) {
    std::vector<json> row = {point.id};
    for (const auto& [axis, value] : point.values) row.push_back(value);
    const json result = directory.result_of(point).value_or(json::object());
    const json measured = result.value("figures", json::object());
    for (const std::string& name : figure_names()) row.push_back(measured.value(name, json()));
    const std::string status = result.value("status", "");
    row.push_back(status == "failed" ? result.value("error", json("")) : json());
    table.good += status == "ok";
    table.failed += status == "failed";
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string to_csv(const SweepTable& table) {
  std::vector<std::string> cells;
  for (const std::string& column : table.columns) cells.push_back(cell(column));
  std::string text = line(cells);
  for (const std::vector<json>& row : table.rows) {
    cells.clear();
    for (const json& value : row) cells.push_back(cell(value));
    text += line(cells);
  }
  return text;
}

}  // namespace wafersim::tools
