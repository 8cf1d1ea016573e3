// mallopt, with the reason for each number.
#include "memory/malloc_settings.h"

#include <malloc.h>

#include "imgmill/memory/system_memory.h"

namespace imgmill {

void TameMalloc() {
#ifdef __GLIBC__
  // Each arena keeps free lists of its own, and by default there are eight a core. Two are enough: large
  // blocks do not come from malloc here, so there is little to contend for.
  mallopt(M_ARENA_MAX, ReadAddressSpaceLimit() ? 1 : 2);
  // A freed block above this size is unmapped at once. Left alone, glibc raises the limit to the largest
  // block freed so far (up to 32 MiB) and from then on keeps such blocks: setting it also stops that.
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  // The top of the heap goes back as soon as this much of it is free. Smaller values cost a system call for
  // many small frees, larger ones are memory that nobody counts.
  mallopt(M_TRIM_THRESHOLD, 256 * 1024);
  mallopt(M_TOP_PAD, 64 * 1024);
#endif
}

void TrimMalloc() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace imgmill
