#pragma once
// A trace (Trace Event Format) by track, layer and name of its events: how many, how long together, from when to when, and a digest of all
// of them, so that one that has moved is seen.

#include <filesystem>
#include <istream>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace wafersim::compare {

// {TRACK: {[layer_N:] {NAME: {"slices", "microseconds", "first", "last", "digest"}}}}; of events without a duration (counters, flows,
// instants) "events" and "digest". Read as a stream: no more is kept than its names. source: for the Error(config) when it is no trace.
nlohmann::json trace_figures(std::istream& trace, const std::string& source);

}  // namespace wafersim::compare
