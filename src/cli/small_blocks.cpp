// malloc under a limit on the address space. GLib ends the process when it cannot have memory for what it
// keeps itself: lists, names, an encoded tile. Planes of pixels are asked for in ways that may fail, and then
// fail one image. So only blocks smaller than those are given what is in reserve.
//
// The functions stand before the C library's for the whole process, and are its own (__libc_malloc) but for
// what they do when it has nothing: free() needs no counterpart.
#include <cerrno>
#include <cstddef>

#include "imgmill/memory/system_memory.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* block, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);
}

namespace {

constexpr size_t kSmall = size_t{4} << 20;

template <typename Allocate>
void* Insist(size_t bytes, const Allocate& allocate) {
  void* block = allocate();
  while (block == nullptr && bytes > 0 && bytes <= kSmall && imgmill::LendAddresses()) block = allocate();
  return block;
}

}  // namespace

extern "C" {

void* malloc(size_t bytes) {
  return Insist(bytes, [=] { return __libc_malloc(bytes); });
}

void* calloc(size_t count, size_t bytes) {
  const size_t total = count != 0 && bytes > kSmall / count ? kSmall + 1 : count * bytes;
  return Insist(total, [=] { return __libc_calloc(count, bytes); });
}

void* realloc(void* block, size_t bytes) {
  return Insist(bytes, [=] { return __libc_realloc(block, bytes); });
}

void* memalign(size_t alignment, size_t bytes) {
  return Insist(bytes, [=] { return __libc_memalign(alignment, bytes); });
}

void* aligned_alloc(size_t alignment, size_t bytes) {
  return memalign(alignment, bytes);
}

int posix_memalign(void** block, size_t alignment, size_t bytes) {
  if (alignment % sizeof(void*) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  const int before = errno;
  void* const got = memalign(alignment, bytes);
  errno = before;
  if (got == nullptr) return ENOMEM;
  *block = got;
  return 0;
}

}  // extern "C"

#endif
