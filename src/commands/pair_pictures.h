// Small pictures of a pair for a page: both images, and a map of where they differ.
#pragma once

#include <memory>

#include "commands/compare/compare_task.h"
#include "imgmill/metrics/pair_meter.h"

namespace imgmill {

/// Fed with the rows that the meter gets. Pixels of a smaller picture are means over what they stand for; the
/// map's are the mean, over those pixels, of the channels' largest difference.
class PairPictures {
 public:
  static constexpr int64_t kLongSide = 320;
  /// The difference from which on the map is at its brightest, on the scale of 8 bits.
  static constexpr double kBrightest = 64;

  explicit PairPictures(const PairShape& shape);
  ~PairPictures();
  PairPictures(PairPictures&&) noexcept;
  void Add(const PlaneRow& a, const PlaneRow& b);
  Result<PairPictureFiles> Finish();
  static Footprint Cost(const PairShape& shape);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
