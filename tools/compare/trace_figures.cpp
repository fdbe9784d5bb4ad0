#include "tools/compare/trace_figures.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "sim/error.h"
#include "tools/compare/figures.h"

namespace wafersim::compare {
namespace {

using nlohmann::json;

struct Group {
  std::uint64_t events = 0;
  bool lasting = true;
  double microseconds = 0, first = std::numeric_limits<double>::infinity(), last = 0;
  std::string digest;  // of the digest before and the event

  void add(const json& event) {
    const double begin = event.value("ts", 0.0), length = event.value("dur", 0.0);
    ++events;
    lasting = lasting && event.value("ph", "") == "X";
    microseconds += length;
    first = std::min(first, begin);
    last = std::max(last, begin + length);
    digest = short_digest({digest, event});
  }

  json figures() const {
    if (!lasting) return {{"events", events}, {"digest", digest}};
    return {{"slices", events}, {"microseconds", microseconds}, {"first", first}, {"last", last}, {"digest", digest}};
  }
};

class Reader {
 public:
  void add(json event) {
    const std::string phase = event.value("ph", "");
    const std::pair<int, int> track{number(event, "pid"), number(event, "tid")};
    const json arguments = event.value("args", json::object());
    if (phase == "M") {
      if (event.value("name", "") == "thread_name") names_[track] = key_part(arguments.value("name", ""));
      return;
    }
    std::vector<std::string> place;
    if (const int layer = number(arguments, "layer"); layer >= 0) place.push_back("layer_" + std::to_string(layer));
    place.push_back(key_part(event.value("name", "")));
    if (phase != "X") place.push_back(phase);
    for (const char* key : {"pid", "tid", "name", "cat"}) event.erase(key);
    groups_[track][place].add(event);
  }

  json figures() const {
    json out = json::object();
    for (const auto& [track, groups] : groups_) {
      const auto found = names_.find(track);
      const bool counters = track.second < 0;  // which a process has, and no track of it
      std::string name = found != names_.end() ? found->second : counters ? "counters" : fmt::format("track_{}", track.second);
      while (out.contains(name)) name += fmt::format("_{}", track.first);  // of a further process
      json& of_track = out[name];
      for (const auto& [place, group] : groups) {
        json* at = &of_track;
        for (const std::string& part : place) at = &(*at)[part];
        at->update(group.figures());
      }
    }
    return out;
  }

 private:
  static int number(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer() ? found->get<int>() : -1;
  }

  std::map<std::pair<int, int>, std::string> names_;
  std::map<std::pair<int, int>, std::map<std::vector<std::string>, Group>> groups_;
};

}  // namespace

json trace_figures(std::istream& trace, const std::string& source) {
  Reader reader;
  // Events are the objects of the array below traceEvents: read one at a time and dropped.
  bool events = false;
  const auto each = [&](int depth, json::parse_event_t what, json& parsed) {
    if (depth == 1 && what == json::parse_event_t::key) events = parsed == "traceEvents";
    if (!events || depth != 2 || what != json::parse_event_t::object_end) return true;
    reader.add(std::move(parsed));
    return false;
  };
  try {
    const json rest = json::parse(trace, each);
    if (!rest.is_object() || !rest.contains("traceEvents")) throw sim::Error(sim::ErrorCategory::config, source + ": has no traceEvents");
  } catch (const json::exception& error) {
    throw sim::Error(sim::ErrorCategory::config, source + ": not a trace: " + error.what());
  }
  return reader.figures();
}

}  // namespace wafersim::compare
