// The cosine of two rows, for searches that ask about single pairs.
#pragma once

#include <algorithm>
#include <optional>

#include "base/try.h"
#include "imgmill/similarity/cosine.h"
#include "similarity/dot_queries.h"

namespace imgmill {

class RowPairs {
 public:
  /// @throws OutOfMemory
  explicit RowPairs(const VectorRows& rows) : rows_(rows), first_(1, static_cast<size_t>(rows.dimension)) {}
  static size_t Bytes(int dimension) { return DotQueries::Bytes(1, static_cast<size_t>(dimension)); }

  /// At most 1; nothing if it is below `least`. To the bit what DotScalar finds. Asked about one `a` after
  /// the other, that is read once.
  Result<std::optional<float>> CosineWithin(uint64_t a, uint64_t b, float least) {
    if (held_ != a) {
      held_.reset();
      TRY(rows_.look(a, 1, [&](const float* vector) { first_.Put(0, vector); }));
      held_ = a;
    }
    std::optional<float> cosine;
    TRY(rows_.look(b, 1, [&](const float* vector) {
      float dot = 0;
      first_.DotsWith(&vector, 1, 0, 1, &dot);
      if (dot >= least) cosine = std::min(dot, 1.0f);
    }));
    return cosine;
  }

 private:
  const VectorRows& rows_;
  DotQueries first_;
  std::optional<uint64_t> held_;
};

}  // namespace imgmill
