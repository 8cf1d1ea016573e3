// Under a limit on the address space (ulimit -v) what is only mapped counts like what is held: here less is
// mapped.
#include <malloc.h>
#include <pthread.h>

#include "imgmill/memory/system_memory.h"

namespace imgmill {

void SpareAddressSpace() {
  if (!ReadAddressSpaceLimit()) return;
#ifdef __GLIBC__
  // Each further arena maps 64 MiB at once and grows into them.
  mallopt(M_ARENA_MAX, 1);
  // 8 MiB are usual, of which the deepest of our threads touches a tenth.
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return;
  if (pthread_attr_setstacksize(&attributes, kSmallStack) == 0) pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
#endif
}

}  // namespace imgmill
