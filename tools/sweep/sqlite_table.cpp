// write_sqlite() of gather.h.

#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <sqlite3.h>
#include <system_error>
#include <unistd.h>

#include "sim/error.h"
#include "tools/sweep/gather.h"

namespace wafersim::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string quoted(const std::string& name) {
  std::string text = name;
  for (std::size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) text.insert(at, 1, '"');
  return '"' + text + '"';
}

class Database {
 public:
  // label: in messages.
  Database(const fs::path& path, const std::string& label) : label_(label) {
    sqlite3* made = nullptr;
    const int code = sqlite3_open(path.c_str(), &made);
    database_.reset(made);
    check(code);
  }

  void execute(const std::string& statement) { check(sqlite3_exec(database_.get(), statement.c_str(), nullptr, nullptr, nullptr)); }

  void insert(const std::string& statement, const std::vector<std::vector<json>>& rows) {
    sqlite3_stmt* prepared = nullptr;
    check(sqlite3_prepare_v2(database_.get(), statement.c_str(), -1, &prepared, nullptr));
    const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> owner(prepared, &sqlite3_finalize);
    for (const std::vector<json>& row : rows) {
      for (std::size_t k = 0; k < row.size(); ++k) check(bind(prepared, static_cast<int>(k) + 1, row[k]));
      if (sqlite3_step(prepared) != SQLITE_DONE) check(SQLITE_ERROR);
      check(sqlite3_reset(prepared));
    }
  }

 private:
  static int bind(sqlite3_stmt* statement, int column, const json& value) {
    if (value.is_null()) return sqlite3_bind_null(statement, column);
    if (value.is_number_integer()) return sqlite3_bind_int64(statement, column, value.get<std::int64_t>());
    if (value.is_number()) return sqlite3_bind_double(statement, column, value.get<double>());
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    return sqlite3_bind_text(statement, column, text.c_str(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }

  void check(int code) const {
    if (code == SQLITE_OK) return;
    throw sim::Error(sim::ErrorCategory::output, fmt::format("{}: cannot be written: {}", label_, sqlite3_errmsg(database_.get())));
  }

  std::string label_;
  std::unique_ptr<sqlite3, decltype(&sqlite3_close)> database_{nullptr, &sqlite3_close};
};

}  // namespace

void write_sqlite(const SweepTable& table, const fs::path& path) {
  const fs::path temporary = path.string() + fmt::format(".{}.tmp", ::getpid());
  std::error_code code;
  fs::remove(temporary, code);
  try {
    {
      Database database(temporary, path.string());
      std::string columns, places;
      for (const std::string& column : table.columns) {
        columns += (columns.empty() ? "" : ", ") + quoted(column);
        places += places.empty() ? "?" : ", ?";
      }
      database.execute("PRAGMA journal_mode = OFF");  // a file that fails is thrown away
      database.execute("BEGIN");
      database.execute("CREATE TABLE points (" + columns + ")");
      database.insert("INSERT INTO points VALUES (" + places + ")", table.rows);
      database.execute("COMMIT");
    }
    fs::rename(temporary, path, code);
    if (code) throw sim::Error(sim::ErrorCategory::output, path.string() + ": cannot be put in place: " + code.message());
  } catch (...) {
    fs::remove(temporary, code);
    throw;
  }
}

}  // namespace wafersim::tools
