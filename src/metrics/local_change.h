// Where two pictures that are laid upon each other show different things, though they are alike on the whole.
#pragma once

#include <array>

#include "imgmill/memory/pool_array.h"
#include "picture_alignment.h"

namespace imgmill {

class LocalChange {
 public:
  /// Room for any pictures. @throws OutOfMemory
  LocalChange();
  static size_t PooledBytes();

  /// The part of the most changed place (a square of a ninth of the longer side) that shows another thing:
  /// what is left, once the levels of one are brought to the other's, in pieces that are thicker than a
  /// letter's strokes. Thinner ones are captions, watermarks and edges. On the pixels of `first`.
  double OfThings(const PictureLevel& first, const PictureLevel& second, const PlaceMap& map);

  /// The same of strokes upon a common flat ground, such as writing on a form, of which the first picture
  /// shows some and the second others; what only one shows counts, too, on a page that is hardly anything but
  /// ground.
  double OfStrokes(const SmallPicture& first, const SmallPicture& second, const PlaceMap& map);

 private:
  struct Curve;

  void Open(int width, int height);
  void LayUpon(const SmallPicture& first, const SmallPicture& second, const PlaceMap& map);
  static void FindGround(const PoolArray<uint8_t>& pixels, int width, int height, PoolArray<uint8_t>& ground);
  /// Of all marks above and to the left, so that those of any window follow from four sums.
  static void Sum(const PoolArray<uint8_t>& marks, int width, int height, PoolArray<uint32_t>& sums);

  PoolArray<uint8_t> base_, laid_, halved_, ground_, other_ground_, marks_, other_marks_;
  PoolArray<float> values_;
  PoolArray<uint32_t> sums_, other_sums_;
};

}  // namespace imgmill
