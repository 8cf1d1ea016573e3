// Alignment, then comparison on the pixels of the coarser picture.
#include "imgmill/metrics/picture_matcher.h"

#include <algorithm>
#include <cmath>

#include "colour_difference.h"
#include "local_change.h"
#include "local_difference.h"
#include "picture_alignment.h"

namespace imgmill {
namespace {

constexpr double kMostOfOne = 0.75;
constexpr double kLeastOfOther = 0.1;
// Pixels of the finer picture to one of the coarser: above this its halved size is taken.
constexpr double kFiner = 1.6;
// Detail of one picture, in parts of the other's.
constexpr double kOutOfFocus = 0.3;

struct Box {
  double left = 1, top = 1, right = 0, bottom = 0;
};

/// Of the first picture, what the second one shows: its corners, laid back.
Box BoxOf(const PlaceMap& back) {
  Box box;
  for (const double u : {0.0, 1.0}) {
    for (const double v : {0.0, 1.0}) {
      const double x = std::clamp(back.xx * u + back.xy * v + back.x, 0.0, 1.0);
      const double y = std::clamp(back.yx * u + back.yy * v + back.y, 0.0, 1.0);
      box.left = std::min(box.left, x), box.right = std::max(box.right, x);
      box.top = std::min(box.top, y), box.bottom = std::max(box.bottom, y);
    }
  }
  return box;
}

/// How much of what a picture shows is lost when it is halved: the variance within blocks of 2x2 pixels, in
/// parts of all.
double DetailOf(const PictureLevel& level) {
  double sum = 0, squares = 0, within = 0, count = 0;
  for (int y = 0; y + 1 < level.height; y += 2) {
    const float* const upper = level.row(y);
    const float* const lower = level.row(y + 1);
    for (int x = 0; x + 1 < level.width; x += 2) {
      const double block[] = {static_cast<double>(upper[x]), static_cast<double>(upper[x + 1]),
                              static_cast<double>(lower[x]), static_cast<double>(lower[x + 1])};
      const double mean = (block[0] + block[1] + block[2] + block[3]) / 4;
      for (const double value : block) within += (value - mean) * (value - mean), squares += value * value;
      sum += 4 * mean, count += 4;
    }
  }
  const double all = squares - sum * sum / count;
  return all > count ? within / all : 0;
}

}  // namespace

struct PictureMatcher::Impl {
  /// The difference on the coarser one's pixels; where one of them is out of focus, at half of that size, at
  /// which others look more alike, too: there it counts twice.
  double Compare() {
    const Levels levels = FindLevels();
    const PictureLevel& coarse = (*levels.coarse)[0];
    const PictureLevel& fine = (*levels.fine)[levels.level];
    const double one = DetailOf(coarse), other = DetailOf(fine);
    const bool halved = std::min(one, other) < kOutOfFocus * std::max(one, other) &&
                        levels.coarse->levels() > 1 && levels.fine->levels() > levels.level + 1;
    return halved ? 2 * difference.Of((*levels.coarse)[1], (*levels.fine)[levels.level + 1], *levels.to_fine)
                  : difference.Of(coarse, fine, *levels.to_fine);
  }
  /// The coarser one, and the size of the other that is the next to it.
  struct Levels {
    const PicturePyramid* coarse;
    const PicturePyramid* fine;
    size_t level;
    const PlaceMap* to_fine;
  };
  Levels FindLevels() const {
    const double finer = Finer(first[0], second[0]);
    if (finer >= 1) return {&first, &second, LevelFor(second, finer), &map};
    return {&second, &first, LevelFor(first, 1 / finer), &back};
  }
  /// Pixels of the second picture to one of the first, each way.
  template <typename Picture>
  double Finer(const Picture& a, const Picture& b) const {
    return std::sqrt(std::abs(map.determinant()) * b.width * b.height /
                     (static_cast<double>(a.width) * a.height));
  }
  static size_t LevelFor(const PicturePyramid& pyramid, double finer) {
    size_t level = 0;
    for (; finer > kFiner && level + 1 < pyramid.levels(); finer /= 2) ++level;
    return level;
  }

  PicturePyramid first, second;
  PlaceMap map, back;  // of the first onto the second, and the other way round
  LocalDifference difference;
  ColourComparison colours;
  LocalChange change;
};

PictureMatcher::PictureMatcher() : impl_(std::make_unique<Impl>()) {}
PictureMatcher::~PictureMatcher() = default;
PictureMatcher::PictureMatcher(PictureMatcher&&) noexcept = default;

size_t PictureMatcher::PooledBytes() {
  return 2 * PicturePyramid::PooledBytes() + LocalDifference::PooledBytes() +
         ColourComparison::PooledBytes() + LocalChange::PooledBytes();
}

std::optional<PictureMatch> PictureMatcher::Match(const SmallPicture& first, const SmallPicture& second) {
  impl_->first.Set(first);
  impl_->second.Set(second);
  const std::optional<PlaceMap> map = AlignPictures(impl_->first, impl_->second);
  if (!map) return std::nullopt;
  double shared = 0;
  ForEachShared(impl_->first[0], impl_->second[0], *map, 0, 1, [&](int, int, float, float) { shared += 1; });
  const double of_first = shared / (static_cast<double>(first.width) * first.height);
  const double of_second = of_first * std::abs(map->determinant());
  if (std::max(of_first, of_second) < kMostOfOne || std::min(of_first, of_second) < kLeastOfOther)
    return std::nullopt;
  impl_->map = *map;
  impl_->back = map->Inverse();
  const Box box = BoxOf(impl_->back);
  return PictureMatch{impl_->Compare(), static_cast<float>(box.left), static_cast<float>(box.top),
                      static_cast<float>(box.right), static_cast<float>(box.bottom)};
}

double PictureMatcher::ColourDifference(const SmallColours& first, const SmallColours& second) {
  return impl_->colours.Of(first, second, impl_->map);
}

double PictureMatcher::ChangedThings() {
  const Impl::Levels levels = impl_->FindLevels();
  return impl_->change.OfThings((*levels.coarse)[0], (*levels.fine)[levels.level], *levels.to_fine);
}

double PictureMatcher::ChangedStrokes(const SmallPicture& first, const SmallPicture& second) {
  return impl_->Finer(first, second) >= 1 ? impl_->change.OfStrokes(first, second, impl_->map)
                                          : impl_->change.OfStrokes(second, first, impl_->back);
}

}  // namespace imgmill
