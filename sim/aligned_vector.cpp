#include "sim/aligned_vector.h"

#include <sys/mman.h>

namespace wafersim::sim {
namespace {

constexpr std::size_t line_bytes = 64, huge_page_bytes = std::size_t{2} << 20;

// The rest of the last page is not huge.
std::align_val_t alignment(std::size_t bytes) { return std::align_val_t{bytes < huge_page_bytes ? line_bytes : huge_page_bytes}; }

}  // namespace

void* allocate_lines(std::size_t bytes) {
  void* memory = ::operator new(bytes, alignment(bytes));
  if (bytes >= huge_page_bytes) madvise(memory, bytes / huge_page_bytes * huge_page_bytes, MADV_HUGEPAGE);
  return memory;
}

void free_lines(void* memory, std::size_t bytes) { ::operator delete(memory, alignment(bytes)); }

}  // namespace wafersim::sim
