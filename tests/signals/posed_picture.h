// Pictures turned and mirrored, and what their hashes are against those that a hasher tells of all poses.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "imgmill/image/image.h"
#include "imgmill/signals/perceptual_hash.h"

namespace imgmill {

/// By hand, in the order of the bits: 1 mirrors left and right, 2 top and bottom, 4 swaps rows and columns.
inline Image Posed(const Image& picture, int pose) {
  Layout layout = picture.layout();
  const int64_t bands = layout.bands;
  if ((pose & 4) != 0) std::swap(layout.width, layout.height);
  Image posed(layout);
  for (int64_t y = 0; y < picture.layout().height; ++y) {
    for (int64_t x = 0; x < picture.layout().width; ++x) {
      int64_t column = (pose & 1) != 0 ? picture.layout().width - 1 - x : x;
      int64_t row = (pose & 2) != 0 ? picture.layout().height - 1 - y : y;
      if ((pose & 4) != 0) std::swap(column, row);
      std::copy_n(picture.row(y) + bands * x, bands, posed.row(row) + bands * column);
    }
  }
  return posed;
}

/// @param most_apart  bits between a pose's hash and that of the posed picture
/// @param least_apart  bits between that and the hash of the picture itself
inline void CheckPoses(HashKind kind, const Image& picture, int most_apart, int least_apart) {
  PerceptualHasher hasher(kind, picture.layout(), /*poses=*/true);
  hasher.Add(picture.view());
  const PoseHashes poses = hasher.FinishPoses();
  CHECK(poses[0] == PerceptualHash(kind, picture.view()));
  for (int pose = 1; pose < kPoses; ++pose) {
    CAPTURE(pose);
    const Hash256 posed = PerceptualHash(kind, Posed(picture, pose).view());
    CHECK(BitsApart(poses[static_cast<size_t>(pose)], posed) <= most_apart);
    CHECK(BitsApart(poses[0], posed) >= least_apart);
  }
}

}  // namespace imgmill
