// Marks of pixels that differ, cleaned by counting them in windows.
#include "local_change.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

namespace imgmill {
namespace {

constexpr size_t kMostPixels = size_t{SmallPicture::kLargeSide} * SmallPicture::kLargeSide;
constexpr size_t kMostSums = (size_t{SmallPicture::kLargeSide} + 1) * (SmallPicture::kLargeSide + 1);
constexpr int kPlacesAcross = 9;

// Of things.
constexpr size_t kBins = 16;                         // of the levels of one picture
constexpr size_t kLevels = 64;                       // of the other's in each of them
constexpr double kThick = 0.4;                       // a difference, in parts of a picture's deviation
constexpr double kLeastThick = 10, kMostThick = 30;  // levels
constexpr int kThing = 7;                            // pixels across

// Of strokes.
constexpr int kCell = 8;         // pixels; the ground is the median of 3x3 cells
constexpr int kStroke = 16;      // levels from the ground
constexpr int kFlat = 6;         // levels from the ground that are none
constexpr int kSameGround = 15;  // levels
constexpr double kLeastFlat = 0.4;
constexpr double kPage = 0.75;                 // of all pixels, of nearly one level
constexpr int kPaper = 4;                      // levels
constexpr double kExchanged = 50, kAdded = 7;  // strokes are thin: so many times what they cover
constexpr double kFiner = 1.6;

/// The median of the cell at (x, y) and the eight around it; 0 where few pixels are near it. Pixels of 0 do
/// not count.
uint8_t GroundAt(const uint8_t* pixels, int width, int height, int x, int y) {
  std::array<uint16_t, 256> counts{};
  int count = 0;
  for (int row = std::max(y - kCell, 0); row < std::min(y + 2 * kCell, height); ++row) {
    const uint8_t* const from = pixels + static_cast<size_t>(row) * static_cast<size_t>(width);
    for (int column = std::max(x - kCell, 0) + row % 2; column < std::min(x + 2 * kCell, width); column += 2)
      ++counts[from[column]], ++count;
  }
  count -= counts[0];
  int below = 0, median = 1;
  while (median < 255 && 2 * (below + counts[static_cast<size_t>(median)]) < count)
    below += counts[static_cast<size_t>(median++)];
  int near = 0;
  for (int level = std::max(median - kFlat, 1); level <= std::min(median + kFlat, 255); ++level)
    near += counts[static_cast<size_t>(level)];
  return count > 0 && near >= kLeastFlat * count ? static_cast<uint8_t>(median) : uint8_t{0};
}

}  // namespace

double FlatPart(const SmallPicture& picture) {
  int flat = 0, cells = 0;
  for (int y = 0; y < picture.height; y += kCell) {
    for (int x = 0; x < picture.width; x += kCell, ++cells)
      flat += GroundAt(picture.pixels, picture.width, picture.height, x, y) != 0;
  }
  return static_cast<double>(flat) / std::max(cells, 1);
}

/// The levels of one picture as a function of those of the other: the median of each bin, never falling. Else
/// a thing of a level that is nowhere else would be explained by its level.
struct LocalChange::Curve {
  std::array<std::array<uint16_t, kLevels>, kBins> counts{};
  std::array<double, kBins> sums{};
  std::array<double, kBins> from{}, to{}, weight{};
  size_t used = 0;

  static size_t Place(float value, size_t places) {
    const auto place = static_cast<size_t>(std::max(value, 0.0f) * static_cast<float>(places) / 256);
    return std::min(place, places - 1);
  }
  void Add(float value, float other) {
    const size_t bin = Place(value, kBins);
    ++counts[bin][Place(other, kLevels)];
    sums[bin] += static_cast<double>(value);
  }
  void Finish(double pixels) {
    const double least = std::max(8.0, 0.002 * pixels);
    for (size_t bin = 0; bin < kBins; ++bin) {
      double count = 0;
      for (const uint16_t one : counts[bin]) count += one;
      if (count < least) continue;
      double below = 0;
      size_t level = 0;
      while (below + counts[bin][level] < count / 2) below += counts[bin][level++];
      // Within the level, as if its pixels were spread evenly.
      const double part = (count / 2 - below) / counts[bin][level];
      from[used] = sums[bin] / count;
      to[used] = (static_cast<double>(level) + part) * 256 / kLevels - 0.5;
      weight[used++] = count;
    }
    // Neighbours that fall are brought to their mean, until none falls.
    for (size_t i = 1; i < used; ++i) {
      double sum = to[i] * weight[i], count = weight[i];
      size_t first = i;
      while (first > 0 && to[first - 1] > sum / count)
        --first, sum += to[first] * weight[first], count += weight[first];
      for (size_t j = first; j <= i; ++j) to[j] = sum / count;
    }
  }
  double At(double value) const {
    if (used == 0) return value;
    if (value <= from[0]) return to[0];
    for (size_t i = 1; i < used; ++i) {
      if (value < from[i])
        return to[i - 1] + (to[i] - to[i - 1]) * (value - from[i - 1]) / (from[i] - from[i - 1]);
    }
    return to[used - 1];
  }
};

LocalChange::LocalChange()
    : base_(kMostPixels),
      laid_(kMostPixels),
      halved_(kMostPixels / 4),
      ground_(kMostPixels / (kCell * kCell) + 2 * SmallPicture::kLargeSide),
      other_ground_(ground_.size()),
      marks_(kMostPixels),
      other_marks_(kMostPixels),
      values_(size_t{SmallPicture::kLongSide} * SmallPicture::kLongSide),
      sums_(kMostSums),
      other_sums_(kMostSums) {}

size_t LocalChange::PooledBytes() {
  return 4 * kMostPixels + kMostPixels / 4 +
         2 * (kMostPixels / (kCell * kCell) + 2 * SmallPicture::kLargeSide) +
         size_t{SmallPicture::kLongSide} * SmallPicture::kLongSide * sizeof(float) +
         2 * kMostSums * sizeof(uint32_t);
}

void LocalChange::Sum(const PoolArray<uint8_t>& marks, int width, int height, PoolArray<uint32_t>& sums) {
  const auto across = static_cast<size_t>(width) + 1;
  std::fill_n(sums.data(), across, 0u);
  for (int y = 0; y < height; ++y) {
    const uint8_t* const row = marks.data() + static_cast<size_t>(y) * static_cast<size_t>(width);
    const uint32_t* const above = sums.data() + static_cast<size_t>(y) * across;
    uint32_t* const to = sums.data() + (static_cast<size_t>(y) + 1) * across;
    uint32_t sum = 0;
    to[0] = 0;
    for (int x = 0; x < width; ++x) sum += row[x], to[x + 1] = above[x + 1] + sum;
  }
}

/// Of the sums of marks, those from (x, y) on.
static uint32_t InWindow(const PoolArray<uint32_t>& sums, int width, int x, int y, int across, int down) {
  const auto at = [&](int column, int row) {
    return sums[static_cast<size_t>(row) * (static_cast<size_t>(width) + 1) + static_cast<size_t>(column)];
  };
  return at(x + across, y + down) - at(x, y + down) - at(x + across, y) + at(x, y);
}

/// Leaves of the marks those that lie in squares of marks, kThing pixels across.
void LocalChange::Open(int width, int height) {
  Sum(marks_, width, height, sums_);
  std::fill_n(other_marks_.data(), static_cast<size_t>(width) * static_cast<size_t>(height), uint8_t{0});
  for (int y = 0; y + kThing <= height; ++y) {
    for (int x = 0; x + kThing <= width; ++x) {
      if (InWindow(sums_, width, x, y, kThing, kThing) < kThing * kThing) continue;
      for (int row = y; row < y + kThing; ++row)
        std::fill_n(other_marks_.data() + static_cast<size_t>(row) * static_cast<size_t>(width) + x, kThing,
                    uint8_t{1});
    }
  }
}

double LocalChange::OfThings(const PictureLevel& first, const PictureLevel& second, const PlaceMap& map) {
  const auto width = static_cast<size_t>(first.width);
  std::fill_n(values_.data(), width * static_cast<size_t>(first.height), -1.0f);
  PairSums sums;
  Curve of_first, of_second;
  ForEachShared(first, second, map, 0, 1, [&](int x, int y, float a, float b) {
    values_[static_cast<size_t>(y) * width + static_cast<size_t>(x)] = b;
    sums.Add(static_cast<double>(a), static_cast<double>(b));
    of_first.Add(b, a), of_second.Add(a, b);
  });
  if (sums.n < kThing * kThing) return 0;
  of_first.Finish(sums.n), of_second.Finish(sums.n);
  const double deviation = sums.DeviationOfA(), other_deviation = sums.DeviationOfB();
  const double most = std::clamp(kThick * deviation, kLeastThick, kMostThick);
  const double other_most = std::clamp(kThick * other_deviation, kLeastThick, kMostThick);
  const double gain = deviation / std::max(other_deviation, 0.5);
  for (int y = 0; y < first.height; ++y) {
    for (int x = 0; x < first.width; ++x) {
      const size_t at = static_cast<size_t>(y) * width + static_cast<size_t>(x);
      const double a = static_cast<double>(first.row(y)[x]), b = static_cast<double>(values_[at]);
      marks_[at] = b >= 0 && std::abs(a - of_first.At(b)) > most &&
                   std::abs(b - of_second.At(a)) > other_most &&
                   std::abs(a - sums.a / sums.n - gain * (b - sums.b / sums.n)) > most;
    }
  }
  Open(first.width, first.height);
  Sum(other_marks_, first.width, first.height, sums_);
  const int side = std::min(
      {first.width, first.height, std::max(kThing, std::max(first.width, first.height) / kPlacesAcross)});
  uint32_t found = 0;
  for (int y = 0; y + side <= first.height; ++y) {
    for (int x = 0; x + side <= first.width; ++x)
      found = std::max(found, InWindow(sums_, first.width, x, y, side, side));
  }
  return static_cast<double>(found) / (side * side);
}

/// `second` on the pixels of `first`, in its levels; 0 where it has nothing, which no pixel is.
void LocalChange::LayUpon(const SmallPicture& first, const SmallPicture& second, const PlaceMap& map) {
  const auto pixels = static_cast<size_t>(first.width) * static_cast<size_t>(first.height);
  for (size_t i = 0; i < pixels; ++i) base_[i] = std::max<uint8_t>(first.pixels[i], 1);
  SmallPicture from = second;
  double finer = std::sqrt(std::abs(map.determinant()) * from.width * from.height /
                           (static_cast<double>(first.width) * first.height));
  for (; finer > kFiner && std::min(from.width, from.height) > 2 * SmallPicture::kLeastSide; finer /= 2) {
    const SmallPicture half = {from.width / 2, from.height / 2, halved_.data()};
    for (int y = 0; y < half.height; ++y) {
      const uint8_t* const upper = from.row(2 * y);
      const uint8_t* const lower = from.row(2 * y + 1);
      for (int x = 0; x < half.width; ++x)
        halved_[static_cast<size_t>(y * half.width + x)] =
            static_cast<uint8_t>((upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1] + 2) / 4);
    }
    from = half;
  }
  std::fill_n(laid_.data(), pixels, uint8_t{0});
  // Least squares with Cauchy's weights: what differs does not pull.
  double gain = 1, offset = 0, scale = 64;
  for (int round = 0; round < 4; ++round) {
    double weights = 0, a_sum = 0, b_sum = 0, ab = 0, bb = 0, errors = 0, count = 0;
    ForEachShared(first, from, map, 0, 3, [&](int, int, float one, float other) {
      const double a = static_cast<double>(one), b = static_cast<double>(other);
      const double error = std::abs(a - gain * b - offset);
      const double weight = 1 / (1 + error * error / (scale * scale));
      weights += weight, a_sum += weight * a, b_sum += weight * b;
      ab += weight * a * b, bb += weight * b * b;
      errors += error, count += 1;
    });
    if (count == 0) return;
    const double spread = std::max(bb / weights - b_sum * b_sum / (weights * weights), 1.0);
    gain = std::clamp((ab / weights - a_sum * b_sum / (weights * weights)) / spread, 0.3, 3.3);
    offset = (a_sum - gain * b_sum) / weights;
    scale = std::max(3.0, 1.5 * errors / count);
  }
  ForEachShared(first, from, map, 0, 1, [&](int x, int y, float, float value) {
    const double level = gain * static_cast<double>(value) + offset + 0.5;
    laid_[static_cast<size_t>(y * first.width + x)] = static_cast<uint8_t>(std::clamp(level, 1.0, 255.0));
  });
}

/// The median around each cell; 0 where few pixels are near it.
void LocalChange::FindGround(const PoolArray<uint8_t>& pixels, int width, int height,
                             PoolArray<uint8_t>& ground) {
  size_t cell = 0;
  for (int y = 0; y < height; y += kCell) {
    for (int x = 0; x < width; x += kCell) ground[cell++] = GroundAt(pixels.data(), width, height, x, y);
  }
}

double LocalChange::OfStrokes(const SmallPicture& first, const SmallPicture& second, const PlaceMap& map) {
  const int width = first.width, height = first.height;
  LayUpon(first, second, map);
  FindGround(base_, width, height, ground_);
  FindGround(laid_, width, height, other_ground_);
  const int cells = (width + kCell - 1) / kCell;
  double shared = 0;
  std::array<double, 256> levels{};
  // Strokes of one where the other has nothing, not even beside it.
  const auto only = [&](const PoolArray<uint8_t>& pixels, const PoolArray<uint8_t>& others, int x, int y,
                        int ground, int other_ground) {
    if (std::abs(pixels[static_cast<size_t>(y * width + x)] - ground) <= kStroke) return false;
    for (int row = std::max(y - 1, 0); row <= std::min(y + 1, height - 1); ++row) {
      for (int column = std::max(x - 1, 0); column <= std::min(x + 1, width - 1); ++column) {
        const int other = others[static_cast<size_t>(row * width + column)];
        if (other == 0 || std::abs(other - other_ground) >= kStroke / 2) return false;
      }
    }
    return true;
  };
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto at = static_cast<size_t>(y * width + x);
      marks_[at] = other_marks_[at] = 0;
      if (laid_[at] == 0) continue;
      shared += 1, levels[base_[at]] += 1;
      const auto cell = static_cast<size_t>(y / kCell * cells + x / kCell);
      const int ground = ground_[cell], other_ground = other_ground_[cell];
      if (ground == 0 || other_ground == 0 || std::abs(ground - other_ground) >= kSameGround) continue;
      marks_[at] = only(base_, laid_, x, y, ground, other_ground);
      other_marks_[at] = only(laid_, base_, x, y, other_ground, ground);
    }
  }
  Sum(marks_, width, height, sums_);
  Sum(other_marks_, width, height, other_sums_);
  const int side = std::min({width, height, std::max(kCell, std::max(width, height) / kPlacesAcross)});
  uint32_t exchanged = 0, added = 0;
  for (int y = 0; y + side <= height; y += 2) {
    for (int x = 0; x + side <= width; x += 2) {
      const uint32_t one = InWindow(sums_, width, x, y, side, side);
      const uint32_t other = InWindow(other_sums_, width, x, y, side, side);
      exchanged = std::max(exchanged, std::min(one, other));
      added = std::max({added, one, other});
    }
  }
  const double changed = kExchanged * exchanged / (side * side);
  double paper = 0;
  for (size_t level = 0; level + 2 * kPaper < levels.size(); ++level)
    paper = std::max(paper, std::accumulate(&levels[level], &levels[level] + 2 * kPaper + 1, 0.0));
  const double one_sided = paper >= kPage * shared ? kAdded * added / (side * side) : 0;
  return std::min(std::max(changed, one_sided), 1.0);
}

}  // namespace imgmill
