// A whole image held for random access: in memory while it is small, in an unnamed file when it is not.
#pragma once

#include <memory>

#include "imgmill/image/reader.h"

namespace imgmill {

class HeldPixels {
 public:
  virtual ~HeldPixels() = default;
  /// Reads `rows` to the end and holds them. Errors: those of `rows`, kOutOfMemory, kDiskFull, kWriteError.
  static Result<std::unique_ptr<HeldPixels>> Take(RowReader& rows, size_t most_bytes_in_memory);
  /// `bytes` of row `y` from `offset` on.
  virtual Status Copy(int64_t y, size_t offset, size_t bytes, uint8_t* destination) = 0;
};

}  // namespace imgmill
