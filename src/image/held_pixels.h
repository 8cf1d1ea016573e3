// A whole image held for random access: in memory while it is small, in an unnamed file when it is not.
#pragma once

#include <memory>

#include "imgmill/image/reader.h"

namespace imgmill {

/// How a file keeps the pixels of an image that is read by columns: in bands of so many, one behind the
/// other, so that what is read together lies together. Only the first band is narrower where `width` does not
/// divide.
struct ColumnBands {
  int64_t columns = 0;  ///< 0: rows are kept whole
  int64_t first = 0;    ///< columns of the first band, 1 to `columns`
};

class HeldPixels {
 public:
  virtual ~HeldPixels() = default;
  /// Reads `rows` to the end and holds them. Errors: those of `rows`, kOutOfMemory, kDiskFull, kWriteError.
  static Result<std::unique_ptr<HeldPixels>> Take(RowReader& rows, size_t most_bytes_in_memory,
                                                  const ColumnBands& bands);
  /// `bytes` of row `y` from `offset` on, all in one band; fastest downwards within it.
  virtual Status Copy(int64_t y, size_t offset, size_t bytes, uint8_t* destination) = 0;
};

}  // namespace imgmill
