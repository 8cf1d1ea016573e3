// Images of several resolutions that are cut in step: how many times as large one is as the others, and which
// part all of them show.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/commands/tile.h"

namespace imgmill {

struct PixelSize {
  int64_t width = 0;
  int64_t height = 0;
};

/// An image of a group, as a person sees it.
struct GroupMember {
  std::string path;
  PixelSize size;
};

/// What cutting a group needs to know.
struct GroupShape {
  PixelSize area;  ///< that all of them show, from the upper left corner, in pixels of the high resolution
  std::vector<int> scales;  ///< of each partner: how many times as large the high resolution is
};

/// How many times as large one image is as the other: exactly, the same both ways, or, if `cropped`, with
/// less than one pixel of the smaller one left over. 0 if there is no such number, or more than one.
int PairScale(const PixelSize& high, const PixelSize& low, bool cropped);

/// The same of a group whose partners were all made of one crop of the image: to a multiple of the least
/// common multiple of their scales, so that each is a whole number of times as small. Empty if there are no
/// such scales, or more than one choice of them.
std::vector<int> ScalesOfOneCrop(const PixelSize& high, std::span<const PixelSize> lows);

/// How many times as large the image is as each partner, by the first way that fits all of them: exactly,
/// and, if `cropped`, each from a crop of its own, or all from one. Empty if none does.
std::vector<int> ScalesOfGroup(const PixelSize& high, std::span<const PixelSize> lows, bool cropped);

/// kConflict, with both sizes, for partners of another shape, or of a scale that tiles do not fit.
Result<GroupShape> ShapeOfGroup(const PixelSize& high, std::span<const GroupMember> lows,
                                const TileOptions& options);

/// Of each partner folder, the one that its tiles go to: "LQ/", or if there are several, their own names.
std::vector<std::string> LowFolders(const TileOptions& options);

/// Whether these fit beside each other, and names for partners are as many as their folders. Else what is
/// wrong.
std::optional<std::string> CheckPairs(const TileOptions& options);

/// How the images and those of the folder of this number are named.
PairNameOptions NamesOfPair(const TileOptions& options, size_t number);

}  // namespace imgmill
