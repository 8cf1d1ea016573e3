// Under a limit on the address space (ulimit -v) what is only mapped counts like what is held: here less is
// mapped.
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#include <array>
#include <atomic>

#include "imgmill/memory/system_memory.h"

namespace imgmill {
namespace {

/// Of a thread. 8 MiB are usual, of which the deepest of ours touches a tenth.
constexpr size_t kSmallStack = size_t{2} << 20;
constexpr size_t kPiece = size_t{1} << 20;
/// Mapped and never touched. Empty where there is no limit, or what was here is lent.
std::array<std::atomic<void*>, 32> reserve;
std::atomic<bool> limited = false;

}  // namespace

void SpareAddressSpace() {
  if (!ReadAddressSpaceLimit()) return;
#ifdef __GLIBC__
  // Each further arena maps 64 MiB at once and grows into them.
  mallopt(M_ARENA_MAX, 1);
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return;
  if (pthread_attr_setstacksize(&attributes, kSmallStack) == 0) pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
#endif
  limited = true;
  RestoreAddresses();
}

bool LendAddresses() noexcept {
  for (std::atomic<void*>& piece : reserve) {
    if (void* const mapped = piece.exchange(nullptr)) return ::munmap(mapped, kPiece) == 0;
  }
  return false;
}

void RestoreAddresses() noexcept {
  if (!limited) return;
  for (std::atomic<void*>& piece : reserve) {
    if (piece != nullptr) continue;
    void* const mapped =
        ::mmap(nullptr, kPiece, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return;
    void* empty = nullptr;
    if (!piece.compare_exchange_strong(empty, mapped)) ::munmap(mapped, kPiece);
  }
}

}  // namespace imgmill
