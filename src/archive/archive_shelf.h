// What the indexes of a run's archives may hold: paths are all that readers have, so there is one shelf of
// them for the whole process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"

namespace imgmill {

/// Indexes stay until together they hold more than `most` bytes, or `take` refuses one: then those go that
/// were used least lately, and are read again when they are asked for. Where images of two archives are
/// opened in turn, each would be read for every image: after kMostHastyReadings of them the archive is
/// refused.
struct ArchiveRoom {
  /// Of what was read before, and while no run says otherwise.
  static constexpr size_t kUsually = size_t{32} << 20;
  /// What is asked for at a time. Less than one step is not asked for.
  static constexpr size_t kStep = size_t{4} << 20;
  /// A reading was hasty if its index is asked for fewer times than this before it goes.
  static constexpr uint64_t kFewUses = 1000;
  static constexpr int kMostHastyReadings = 12;

  size_t most = kUsually;
  /// Asked for each step, from one thread at a time; what it returns is kept as long as those bytes. Its
  /// error is OpenArchive's. May be empty.
  std::function<Result<std::shared_ptr<void>>(size_t bytes)> take;
  /// Ends reading and waiting with kInterrupted.
  const StopFlag* stop = nullptr;
};

/// For OpenArchive, until what is returned is destroyed: then nothing that `room` leads to is asked any more,
/// and what it gave is given back. One at a time.
[[nodiscard]] std::shared_ptr<void> UseArchiveRoom(ArchiveRoom room);

}  // namespace imgmill
