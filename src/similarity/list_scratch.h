// What each thread of a search by lists has to itself.
#pragma once

#include <algorithm>

#include "imgmill/memory/pool_array.h"
#include "similarity/dot_queries.h"
#include "similarity/row_windows.h"

namespace imgmill {

struct ListScratch {
  /// 128 KiB of vectors of 512 floats: half of what a core's cache holds.
  static constexpr size_t kQueriesTogether = 64;

  /// @throws OutOfMemory
  ListScratch(size_t lists, int dimension)
      : dots(DotsHeld(lists)), queries(kQueriesTogether, static_cast<size_t>(dimension)) {}
  static size_t DotsHeld(size_t lists) { return kRowsTogether * std::max(lists, kQueriesTogether); }
  static size_t Bytes(size_t lists, int dimension) {
    return DotsHeld(lists) * sizeof(float) +
           DotQueries::Bytes(kQueriesTogether, static_cast<size_t>(dimension));
  }
  PoolArray<float> dots;
  DotQueries queries;
};

}  // namespace imgmill
