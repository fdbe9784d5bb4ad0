// usage: fuzz_TARGET [INPUTS [SEED]]   runs INPUTS mutated inputs, the same ones for the same SEED; or fuzz_TARGET FILE   runs one input.
// A crash repeats with the same arguments, under a debugger too: nothing depends on time, address or host.

#include "tests/fuzz/driver.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace wafersim::fuzz {
namespace {

constexpr std::size_t longest_input = 1 << 14;  // bytes

class Generator {  // splitmix64
 public:
  explicit Generator(std::uint64_t seed) : state_(seed) {}
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : static_cast<std::size_t>(next() % bound); }

 private:
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  std::uint64_t state_;
};

// One change of `input`: a byte, a range or a word is changed, removed, repeated, or taken from `other`.
void mutate(std::string& input, const std::string& other, const std::vector<std::string>& dictionary, Generator& random) {
  const std::size_t at = random.below(input.size() + 1);
  const std::size_t length = std::min(random.below(16) + 1, input.size() - at);
  switch (random.below(8)) {
    case 0:
      if (at < input.size()) input[at] = static_cast<char>(random.below(256));
      break;
    case 1:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ 1 << random.below(8));
      break;
    case 2: input.erase(at, length); break;
    case 3: input.insert(at, input.substr(at, length)); break;
    case 4: input.insert(at, dictionary[random.below(dictionary.size())]); break;
    case 5: input.replace(at, length, dictionary[random.below(dictionary.size())]); break;
    case 6: input.replace(at, length, other.substr(random.below(other.size() + 1), random.below(64))); break;
    case 7: input.resize(random.below(4) == 0 ? at : input.size()); break;
  }
  if (input.size() > longest_input) input.resize(longest_input);
}

void run(const std::string& input) { LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()); }

void run_many(std::uint64_t count, std::uint64_t seed) {
  const std::vector<std::string> starts = seeds();
  const std::vector<std::string> dictionary = words();
  for (const std::string& start : starts) run(start);
  for (std::uint64_t i = 0; i < count; ++i) {
    Generator random(seed * 0x100000001b3u + i);  // every input can be made again from its own number
    std::string input = starts[random.below(starts.size())];
    for (std::size_t changes = random.below(6) + 1; changes > 0; --changes) {
      mutate(input, starts[random.below(starts.size())], dictionary, random);
    }
    run(input);
  }
  std::printf("%llu inputs, seed %llu\n", static_cast<unsigned long long>(count), static_cast<unsigned long long>(seed));
}

}  // namespace
}  // namespace wafersim::fuzz

int main(int count, char** arguments) {
  const char* what = count > 1 ? arguments[1] : "20000";
  char* end = nullptr;
  const auto inputs = std::strtoull(what, &end, 10);
  if (*end == '\0') {
    wafersim::fuzz::run_many(inputs, count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1);
    return 0;
  }
  std::ifstream file(what, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", what);
    return 2;
  }
  wafersim::fuzz::run(std::string(std::istreambuf_iterator<char>(file), {}));
  return 0;
}
