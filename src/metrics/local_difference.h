// What two pictures that are laid upon each other differ in, window by window.
#pragma once

#include "imgmill/memory/pool_array.h"
#include "picture_alignment.h"

namespace imgmill {

class LocalDifference {
 public:
  /// Room for any pictures. @throws OutOfMemory
  LocalDifference();
  static size_t PooledBytes();

  /// PictureMatch's difference, on the pixels of `first`.
  double Of(const PictureLevel& first, const PictureLevel& second, const PlaceMap& map);

 private:
  /// Of a window, or of one of its columns.
  struct Sums {
    float n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  };
  struct Window {
    float structure = 0;  ///< the larger of the two variances
    float difference = 0;
  };

  void LayUpon(const PictureLevel& first, const PictureLevel& second, const PlaceMap& map);
  size_t FindWindows(const PictureLevel& first, float squared_gain);

  PoolArray<float> laid_;  ///< the second picture on the pixels of the first; below 0 where it has none
  PoolArray<Sums> columns_;
  PoolArray<Window> windows_;
};

}  // namespace imgmill
