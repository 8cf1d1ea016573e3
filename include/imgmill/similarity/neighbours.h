// Which hashes have others near them, where most are known from an earlier search: only new ones are asked
// about.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"

namespace imgmill {

/// What an earlier search among some set of hashes found: calls `see` with each of that set, ascending, and
/// one that is near it; with itself where none is.
using KnownNeighbours = std::function<Status(const std::function<void(uint64_t hash, uint64_t near)>& see)>;

/// Finds for each hash another one within the radius, exactly.
/// @param hashes  ascending, each once
/// @param known   by a search with the same radius, among any hashes; else without a call of `see`
/// @param near    of the length of `hashes`: becomes one of those within the radius, or the hash itself where
///   none is. Which of several is open.
/// @return how many had to be searched for: those that are not known, and those whose neighbour is gone.
/// Memory: NeighbourBytes. kInterrupted when `stop` asked for it. @throws OutOfMemory
Result<size_t> FindNeighbours(std::span<const uint64_t> hashes, int radius, const KnownNeighbours& known,
                              int threads, const StopFlag& stop, std::span<uint64_t> near);

/// Without `hashes` and `near`.
size_t NeighbourBytes(size_t hashes, int radius);

}  // namespace imgmill
