// By how many pixels one image lies beside another: phase correlation of a square in the middle of both.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "imgmill/metrics/pair_meter.h"

namespace imgmill {

/// What lies at (x, y) in the first image lies at (x + dx, y + dy) in the second one.
struct Shift {
  int64_t dx = 0;
  int64_t dy = 0;
  double exact_x = 0;  ///< the same to a fraction of a pixel, as estimated from the correlation's peak
  double exact_y = 0;
  bool reliable = true;  ///< false: looked for, and none stands out, nor that there is none; all others are 0
};

/// Kuglin and Hines, "The phase correlation image alignment method", 1975, on luma under a Hann window. The
/// side of the square is a power of two, 16 to 512; shifts of up to a quarter of it are found. Where the peak
/// is none that stands out, or the shift brings the squares no nearer to each other, it is none, and not
/// reliable.
class ShiftFinder {
 public:
  static constexpr int64_t kSmallestSide = 16;

  /// @param shape  of the whole images, whose sides are at least kSmallestSide. @throws OutOfMemory
  explicit ShiftFinder(const PairShape& shape);
  ~ShiftFinder();

  // The square, in both images.
  int64_t first_column() const;
  int64_t first_row() const;
  int64_t side() const;
  /// What rows of the square are taken as.
  const PairShape& square() const;

  /// The next row of the square.
  void AddFirst(const PlaneRow& row);
  void AddSecond(const PlaneRow& row);
  /// After all rows of both.
  Shift Find();

  static size_t PooledBytes(const PairShape& shape);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
