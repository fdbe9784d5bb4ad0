// PE programs as JSON: every field of every instruction by name, defaults left out.

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "models/program.h"
#include "sim/error.h"
#include "sim/json_file.h"

namespace wafersim::models {
namespace {

using nlohmann::json;

json write(const Value& v) { return json::array({v.immediate, v.reg}); }

json write(const Operand& o) {
  return {{"kind", static_cast<int>(o.kind)},
          {"type", static_cast<int>(o.type)},
          {"queue", o.queue},
          {"base", write(o.base)},
          {"step", o.element_stride},
          {"row", o.row_stride},
          {"immediate", o.immediate}};
}

[[noreturn]] void refuse(const std::string& what) { throw sim::Error(sim::ErrorCategory::config, "PE program: " + what); }

void allow_only(const json& j, const std::vector<std::string>& keys) {
  for (const auto& [key, value] : j.items())
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      refuse(fmt::format("unknown key {}; known are {}", sim::printable(key), fmt::join(keys, ", ")));
}

template <class T>
T integer(const json& v, const char* name, double low, double high) {
  if (!v.is_number_integer() || v.get<double>() < low || v.get<double>() > high)
    refuse(fmt::format("{} = {} is not an integer in {:.0f}..{:.0f}", name, sim::printable_json(v), low, high));
  return v.get<T>();
}

template <class T>
T number(const json& j, const char* key, double low, double high) {
  return integer<T>(j.at(key), key, low, high);
}

std::int32_t word(const json& v, const char* name) {
  using Limits = std::numeric_limits<std::int32_t>;
  return integer<std::int32_t>(v, name, Limits::min(), Limits::max());
}

Value read_value(const json& j) {
  if (!j.is_array() || j.size() != 2) refuse("a value is [immediate, register]");
  return {word(j[0], "immediate"), integer<std::int16_t>(j[1], "register", -1, register_count - 1)};
}

Operand read_operand(const json& j) {
  allow_only(j, {"kind", "type", "queue", "base", "step", "row", "immediate"});
  Operand o;
  o.kind = static_cast<Operand::Kind>(number<int>(j, "kind", 0, 4));
  o.type = static_cast<sim::Dtype>(number<int>(j, "type", 0, 3));
  o.queue = number<std::uint8_t>(j, "queue", 0, 7);
  o.base = read_value(j.at("base"));
  o.element_stride = word(j.at("step"), "step");
  o.row_stride = word(j.at("row"), "row");
  o.immediate = j.at("immediate").get<float>();
  return o;
}

json write(const Instruction& i) {
  const Instruction none;
  json j = {{"op", mnemonic(i.op)}};
  const auto put = [&](const char* key, const auto& v, const auto& absent) {
    if (v != absent) j[key] = v;
  };
  if (i.dst != none.dst) j["dst"] = write(i.dst);
  if (i.a != none.a) j["a"] = write(i.a);
  if (i.b != none.b) j["b"] = write(i.b);
  if (i.n != none.n) j["n"] = write(i.n);
  if (i.rows != none.rows) j["rows"] = write(i.rows);
  if (i.value != none.value) j["value"] = write(i.value);
  put("from_zero", i.from_zero, none.from_zero);
  put("new_output", i.new_output, none.new_output);
  put("advance", i.advance, none.advance);
  put("control", i.control, none.control);
  put("microthread", i.microthread, none.microthread);
  put("then_activate", i.then_activate, none.then_activate);
  put("then_unblock", i.then_unblock, none.then_unblock);
  put("reg", i.reg, none.reg);
  put("queue", i.queue, none.queue);
  put("task", i.task, none.task);
  put("target", i.target, none.target);
  return j;
}

Instruction read_instruction(const json& j) {
  allow_only(j, {"op", "dst", "a", "b", "n", "rows", "value", "from_zero", "new_output", "advance", "control", "microthread",
                 "then_activate", "then_unblock", "reg", "queue", "task", "target"});
  Instruction i;
  const std::string op = j.at("op").get<std::string>();
  int code = 0;
  while (code <= static_cast<int>(Opcode::end_task) && op != mnemonic(static_cast<Opcode>(code))) ++code;
  if (code > static_cast<int>(Opcode::end_task)) refuse("no opcode " + sim::printable(op));
  i.op = static_cast<Opcode>(code);
  if (j.contains("dst")) i.dst = read_operand(j["dst"]);
  if (j.contains("a")) i.a = read_operand(j["a"]);
  if (j.contains("b")) i.b = read_operand(j["b"]);
  if (j.contains("n")) i.n = read_value(j["n"]);
  if (j.contains("rows")) i.rows = read_value(j["rows"]);
  if (j.contains("value")) i.value = read_value(j["value"]);
  i.from_zero = j.value("from_zero", false);
  i.new_output = j.value("new_output", false);
  i.advance = j.value("advance", false);
  i.control = j.value("control", false);
  if (j.contains("microthread")) i.microthread = number<std::int8_t>(j, "microthread", 0, 7);
  if (j.contains("then_activate")) i.then_activate = number<std::int8_t>(j, "then_activate", 0, task_count - 1);
  if (j.contains("then_unblock")) i.then_unblock = number<std::int8_t>(j, "then_unblock", 0, task_count - 1);
  if (j.contains("reg")) i.reg = number<std::int8_t>(j, "reg", 0, register_count - 1);
  if (j.contains("queue")) i.queue = number<std::uint8_t>(j, "queue", 0, 7);
  if (j.contains("task")) i.task = number<std::uint8_t>(j, "task", 0, task_count - 1);
  if (j.contains("target")) i.target = word(j["target"], "target");
  return i;
}

}  // namespace

std::string to_json(const Program& program) {
  json j = {{"code", json::array()}, {"tasks", json::array()}, {"completion_task", program.completion_task}};
  for (const Instruction& i : program.code) j["code"].push_back(write(i));
  for (const auto& [id, t] : program.tasks)
    j["tasks"].push_back({{"id", id},
                          {"kind", static_cast<int>(t.kind)},
                          {"entry", t.entry},
                          {"queue", t.queue},
                          {"payload_register", t.payload_register},
                          {"blocked", t.blocked},
                          {"name", t.name}});
  return j.dump(1);
}

Program program_from_json(const std::string& text) {
  Program program;
  try {
    const json j = sim::parse_json(text, "PE program");
    allow_only(j, {"code", "tasks", "completion_task"});
    for (const json& i : j.at("code")) program.code.push_back(read_instruction(i));
    for (const json& t : j.at("tasks")) {
      allow_only(t, {"id", "kind", "entry", "queue", "payload_register", "blocked", "name"});
      Task task;
      task.kind = static_cast<Task::Kind>(number<int>(t, "kind", 0, 2));
      task.entry = word(t.at("entry"), "entry");
      task.queue = number<std::uint8_t>(t, "queue", 0, 7);
      task.payload_register = number<std::int8_t>(t, "payload_register", -1, register_count - 1);
      task.blocked = t.at("blocked").get<bool>();
      task.name = t.at("name").get<std::string>();
      const int id = number<int>(t, "id", 0, task_count - 1);
      if (!program.tasks.emplace(id, task).second) refuse(fmt::format("task {} is given twice", id));
    }
    program.completion_task = number<int>(j, "completion_task", -1, task_count - 1);
  } catch (const json::exception& e) {
    refuse(e.what());
  }
  check_program(program);
  return program;
}

}  // namespace wafersim::models
