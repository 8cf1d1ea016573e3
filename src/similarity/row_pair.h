// The cosine of two rows, for searches that ask about single pairs.
#pragma once

#include <algorithm>
#include <optional>

#include "base/try.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/similarity/cosine.h"

namespace imgmill {

class RowPairs {
 public:
  /// @throws OutOfMemory
  explicit RowPairs(const VectorRows& rows) : rows_(rows), first_(static_cast<size_t>(rows.dimension)) {}
  static size_t Bytes(int dimension) { return static_cast<size_t>(dimension) * sizeof(float); }

  /// At most 1; nothing if it is below `least`. To the bit what Dots finds. Asked about one `a` after the
  /// other, that is read once.
  Result<std::optional<float>> CosineWithin(uint64_t a, uint64_t b, float least) {
    if (held_ != a) {
      held_.reset();
      TRY(rows_.look(a, 1, [&](const float* vector) { std::copy_n(vector, first_.size(), first_.data()); }));
      held_ = a;
    }
    std::optional<float> cosine;
    TRY(rows_.look(b, 1, [&](const float* vector) {
      float dot = 0;
      const float* const row[] = {vector};
      Dots(row, 1, first_.data(), 1, first_.size(), &dot);
      if (dot >= least) cosine = std::min(dot, 1.0f);
    }));
    return cosine;
  }

 private:
  const VectorRows& rows_;
  PoolArray<float> first_;
  std::optional<uint64_t> held_;
};

}  // namespace imgmill
