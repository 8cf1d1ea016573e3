// What the colours of two pictures differ in when one is laid upon the other, whatever was done to all of
// them.
#pragma once

#include "imgmill/memory/pool_array.h"
#include "picture_alignment.h"

namespace imgmill {

struct ColourCell {
  float luma = 0, blue = 0, red = 0;  ///< and Cb and Cr, around 0
};
/// Of one place.
struct ColourPair {
  ColourCell from, to;
  float weight = 1, error = 0;
};

class ColourComparison {
 public:
  /// Room for any pictures. @throws OutOfMemory
  ColourComparison();
  static size_t PooledBytes();

  /// PictureMatch's colour_difference. @param map  of the first picture onto the second
  double Of(const SmallColours& first, const SmallColours& second, const PlaceMap& map);

 private:
  static void Blur(const SmallColours& colours, int radius, PoolArray<ColourCell>& to);
  double Explained(size_t count, bool tinted);

  PoolArray<ColourCell> first_, second_;  ///< means of 3x3 cells of the coarser one
  PoolArray<ColourPair> pairs_;
  PoolArray<float> errors_;
};

}  // namespace imgmill
