// The memory of the archives that a run reads.
#pragma once

#include <memory>

#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// As long as what is returned lives, half of what `memory` can lease is for the names of archives' members,
/// which are reserved as they are read.
[[nodiscard]] std::shared_ptr<void> ReserveForArchives(MemoryManager& memory, const StopFlag& stop);

}  // namespace imgmill
