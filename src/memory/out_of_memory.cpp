// The words of a refusal: which pool refused how much, and what it holds already.
#include "imgmill/memory/out_of_memory.h"

#include <cstdint>

#include "imgmill/base/byte_size.h"

namespace imgmill {

OutOfMemory::OutOfMemory(const std::string& pool, size_t requested, size_t charged, size_t cap) {
  text_ = "out of memory in pool " + pool + ": " + FormatByteSize(requested) + " asked for, " +
          FormatByteSize(charged) + " held";
  if (cap != SIZE_MAX) text_ += " of " + FormatByteSize(cap);
}

}  // namespace imgmill
