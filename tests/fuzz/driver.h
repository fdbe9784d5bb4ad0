#pragma once
// Fuzzing without libFuzzer: a target gives seeds and takes inputs; driver.cpp mutates the seeds with a fixed generator and runs N of them.
// Built with Clang and -DWAFERSIM_LIBFUZZER=ON the targets are libFuzzer's instead.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Must return for every input; a crash, a sanitizer's report or an escaping exception is a defect.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace wafersim::fuzz {

// Inputs from which mutation starts: valid ones, and ones near every check.
std::vector<std::string> seeds();
// Texts that mean something to the format, put in by mutation.
std::vector<std::string> words();

}  // namespace wafersim::fuzz
