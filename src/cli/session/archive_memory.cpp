#include "archive_memory.h"

#include "archive/archive_shelf.h"
#include "base/try.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/memory/memory_flag.h"

namespace imgmill {
namespace {

/// One step, given back with what is made of it.
struct Step {
  Lease lease;
  std::shared_ptr<size_t> used;
  size_t bytes;
  ~Step() { *used -= bytes; }
};

}  // namespace

std::shared_ptr<void> ReserveForArchives(MemoryManager& memory, const StopFlag& stop) {
  const size_t most = memory.LargestLease() / 2;
  const auto take = [&memory, most,
                     used = std::make_shared<size_t>(0)](size_t bytes) -> Result<std::shared_ptr<void>> {
    const size_t wanted = *used + bytes;
    if (wanted > most)
      return Error{Stage::kAdmit, Code::kTooLarge,
                   "the memory budget of " + FormatByteSize(memory.host_budget()) + " leaves " +
                       FormatByteSize(most) + " for such names (use " +
                       MemoryFlag(memory.BudgetFor({0, 2 * wanted})) + " or more)"};
    Lease lease = TRY(memory.Reserve({0, bytes}, {}));
    *used += bytes;
    return std::shared_ptr<void>(new Step{std::move(lease), used, bytes},
                                 [](void* step) { delete static_cast<Step*>(step); });
  };
  return UseArchiveRoom({most, take, &stop});
}

}  // namespace imgmill
