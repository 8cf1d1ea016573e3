// Least squares with Cauchy's weights, then bounds: what is beyond them is no edit of a whole picture.
#include "colour_difference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace imgmill {
namespace {

constexpr size_t kKnots = 5;       // of the tint, at luma 0, 64, 128, 192 and 256
constexpr double kSteepest = 10;   // levels of tint from knot to knot
constexpr double kStrongest = 26;  // levels of tint
constexpr double kMostSaturated = 1.8;
constexpr double kMostTurned = 0.2;  // of a colour, across it and along it, in parts of the saturation
constexpr int kRounds = 3;
constexpr double kCounted = 0.94;               // the cells that differ most may show a caption
constexpr float kBlue = 0.564f, kRed = 0.713f;  // of Cb and Cr
constexpr size_t kMostCells = size_t{SmallColours::kLongSide} * SmallColours::kLongSide;

/// How near a luma is to the two knots beside it.
struct Knots {
  size_t at = 0;
  double part = 0;

  explicit Knots(double luma) {
    const double place = std::clamp(luma / 64, 0.0, 3.999);
    at = static_cast<size_t>(place);
    part = place - static_cast<double>(at);
  }
};

using Tint = std::array<double, kKnots>;
double At(const Tint& tint, const Knots& knots) {
  return tint[knots.at] * (1 - knots.part) + tint[knots.at + 1] * knots.part;
}

/// Symmetric positive definite equations with two right sides, solved in place by elimination.
template <size_t kUnknowns>
struct Equations {
  std::array<std::array<double, kUnknowns>, kUnknowns> matrix{};
  std::array<std::array<double, kUnknowns>, 2> right{};

  /// Holds neighbouring knots, the first of which is that unknown, together, and all of them near 0.
  void Smooth(size_t first, double weight) {
    for (size_t i = 0; i < kKnots; ++i) matrix[first + i][first + i] += 0.002 * weight;
    for (size_t i = first; i + 1 < first + kKnots; ++i) {
      matrix[i][i] += 0.01 * weight, matrix[i + 1][i + 1] += 0.01 * weight;
      matrix[i][i + 1] -= 0.01 * weight, matrix[i + 1][i] -= 0.01 * weight;
    }
  }
  void Solve() {
    for (size_t i = 0; i < kUnknowns; ++i) {
      const double pivot = std::max(matrix[i][i], 1e-9);
      for (size_t below = i + 1; below < kUnknowns; ++below) {
        const double factor = matrix[below][i] / pivot;
        for (size_t j = i; j < kUnknowns; ++j) matrix[below][j] -= factor * matrix[i][j];
        for (auto& side : right) side[below] -= factor * side[i];
      }
    }
    for (size_t i = kUnknowns; i-- > 0;) {
      for (auto& side : right) {
        for (size_t j = i + 1; j < kUnknowns; ++j) side[i] -= matrix[i][j] * side[j];
        side[i] /= std::max(matrix[i][i], 1e-9);
      }
    }
  }
};

/// No steeper and no stronger than a cast is, seen from the luma that most cells have.
void Bound(Tint& tint, const std::array<double, kKnots>& seen) {
  const auto most = static_cast<size_t>(std::max_element(seen.begin(), seen.end()) - seen.begin());
  for (double& value : tint) value = std::clamp(value, -kStrongest, kStrongest);
  for (size_t i = most; i + 1 < kKnots; ++i)
    tint[i + 1] = std::clamp(tint[i + 1], tint[i] - kSteepest, tint[i] + kSteepest);
  for (size_t i = most; i-- > 0;)
    tint[i] = std::clamp(tint[i], tint[i + 1] - kSteepest, tint[i + 1] + kSteepest);
}

using Chroma = std::array<double, 2>;  // Cb and Cr, around 0

/// Takes from `rest` what may be missing of a colour, times `by`, since its channels were cut off at 255.
void AddWhatWasCut(double luma, const Chroma& colour, double by, Chroma& rest) {
  constexpr double kNearlyCut = 235, kCut = 250, kMost = 80;  // levels
  constexpr double kLuma[] = {0.299, 0.587, 0.114};
  const double red = luma + colour[1] / static_cast<double>(kRed);
  const double blue = luma + colour[0] / static_cast<double>(kBlue);
  const double levels[] = {red, (luma - kLuma[0] * red - kLuma[2] * blue) / kLuma[1], blue};
  for (size_t channel = 0; channel < 3; ++channel) {
    const double most = kMost * std::clamp((levels[channel] - kNearlyCut) / (kCut - kNearlyCut), 0.0, 1.0);
    if (most <= 0) continue;
    const Chroma way = {by * static_cast<double>(kBlue) * ((channel == 2) - kLuma[channel]),
                        by * static_cast<double>(kRed) * ((channel == 0) - kLuma[channel])};
    const double length = way[0] * way[0] + way[1] * way[1];
    if (length < 1e-9) continue;
    const double part = std::clamp(-(rest[0] * way[0] + rest[1] * way[1]) / length, 0.0, most);
    rest[0] += part * way[0], rest[1] += part * way[1];
  }
}

/// What makes the colours of one picture of those of another: a matrix of Cb and Cr, and a tint of each.
struct ColourEdit {
  std::array<Chroma, 2> matrix{};
  std::array<Tint, 2> tints{};

  /// What is left of the second picture's colour, but for the tint.
  Chroma Untinted(const ColourPair& pair) const {
    const Chroma from = {static_cast<double>(pair.from.blue), static_cast<double>(pair.from.red)};
    return {static_cast<double>(pair.to.blue) - matrix[0][0] * from[0] - matrix[0][1] * from[1],
            static_cast<double>(pair.to.red) - matrix[1][0] * from[0] - matrix[1][1] * from[1]};
  }
  double ErrorOf(const ColourPair& pair) const {
    const Knots knots(static_cast<double>(pair.from.luma));
    Chroma rest = Untinted(pair);
    for (size_t side = 0; side < 2; ++side) rest[side] -= At(tints[side], knots);
    const auto cut = [&](const ColourCell& cell, double by) {
      AddWhatWasCut(static_cast<double>(cell.luma),
                    {static_cast<double>(cell.blue), static_cast<double>(cell.red)}, by, rest);
    };
    cut(pair.to, 1);
    cut(pair.from, -(matrix[0][0] + matrix[1][1]) / 2);
    return std::hypot(rest[0], rest[1]);
  }
};

/// The matrix that fits best together with tints of any strength, brought within its bounds.
void FitMatrix(std::span<const ColourPair> pairs, ColourEdit& edit) {
  Equations<2 + kKnots> joint;
  double weights = 0;
  for (const ColourPair& pair : pairs) {
    const double weight = static_cast<double>(pair.weight);
    const Knots knots(static_cast<double>(pair.from.luma));
    const size_t places[] = {0, 1, 2 + knots.at, 3 + knots.at};
    const double parts[] = {static_cast<double>(pair.from.blue), static_cast<double>(pair.from.red),
                            1 - knots.part, knots.part};
    for (size_t i = 0; i < 4; ++i) {
      for (size_t j = 0; j < 4; ++j) joint.matrix[places[i]][places[j]] += weight * parts[i] * parts[j];
      joint.right[0][places[i]] += weight * parts[i] * static_cast<double>(pair.to.blue);
      joint.right[1][places[i]] += weight * parts[i] * static_cast<double>(pair.to.red);
    }
    weights += weight;
  }
  // Where there is little colour, the same colours are the likeliest.
  for (size_t i = 0; i < 2; ++i) joint.matrix[i][i] += 2 * weights, joint.right[i][i] += 2 * weights;
  joint.Smooth(2, weights);
  joint.Solve();
  const double saturation = std::clamp((joint.right[0][0] + joint.right[1][1]) / 2, 0.0, kMostSaturated);
  const double most = kMostTurned * saturation;
  for (size_t to = 0; to < 2; ++to) {
    for (size_t from = 0; from < 2; ++from) {
      const double same = to == from ? saturation : 0;
      edit.matrix[to][from] = same + std::clamp(joint.right[to][from] - same, -most, most);
    }
  }
}

/// The tints that fit best with that matrix, brought within their bounds.
void FitTints(std::span<const ColourPair> pairs, ColourEdit& edit) {
  Equations<kKnots> tints;
  std::array<double, kKnots> seen{};
  double weights = 0;
  for (const ColourPair& pair : pairs) {
    const Knots knots(static_cast<double>(pair.from.luma));
    const double weight = static_cast<double>(pair.weight);
    const double parts[] = {1 - knots.part, knots.part};
    const Chroma rest = edit.Untinted(pair);
    for (size_t i = 0; i < 2; ++i) {
      for (size_t j = 0; j < 2; ++j) tints.matrix[knots.at + i][knots.at + j] += weight * parts[i] * parts[j];
      for (size_t side = 0; side < 2; ++side)
        tints.right[side][knots.at + i] += weight * parts[i] * rest[side];
      seen[knots.at + i] += weight * parts[i];
    }
    weights += weight;
  }
  tints.Smooth(0, weights);
  tints.Solve();
  edit.tints = tints.right;
  for (Tint& tint : edit.tints) Bound(tint, seen);
}

}  // namespace

ColourComparison::ColourComparison()
    : first_(kMostCells), second_(kMostCells), pairs_(kMostCells), errors_(kMostCells) {}

size_t ColourComparison::PooledBytes() {
  return kMostCells * (2 * sizeof(ColourCell) + sizeof(ColourPair) + sizeof(float));
}

/// Means around each cell.
void ColourComparison::Blur(const SmallColours& colours, int radius, PoolArray<ColourCell>& to) {
  for (int y = 0; y < colours.height; ++y) {
    for (int x = 0; x < colours.width; ++x) {
      float sum[3] = {}, count = 0;
      for (int row = std::max(y - radius, 0); row <= std::min(y + radius, colours.height - 1); ++row) {
        for (int column = std::max(x - radius, 0); column <= std::min(x + radius, colours.width - 1);
             ++column) {
          const uint8_t* const pixel = colours.pixels + (row * colours.width + column) * 3;
          for (int band = 0; band < 3; ++band) sum[band] += static_cast<float>(pixel[band]);
          count += 1;
        }
      }
      const float red = sum[0] / count, green = sum[1] / count, blue = sum[2] / count;
      const float luma = 0.299f * red + 0.587f * green + 0.114f * blue;
      to[static_cast<size_t>(y * colours.width + x)] = {luma, kBlue * (blue - luma), kRed * (red - luma)};
    }
  }
}

/// What is left of the second picture's colours when they are explained by the first one's: by a saturation,
/// a slight turn and a tint that changes slowly with the luma; or, for a copy without colours of its own, by
/// a tint alone.
double ColourComparison::Explained(size_t count, bool tinted) {
  const std::span<ColourPair> pairs = pairs_.span().first(count);
  for (ColourPair& pair : pairs) pair.weight = 1;
  for (int round = 0; round < kRounds; ++round) {
    ColourEdit edit;
    if (!tinted) FitMatrix(pairs, edit);
    FitTints(pairs, edit);
    double sum = 0;
    for (ColourPair& pair : pairs) {
      const double error = edit.ErrorOf(pair);
      pair.error = static_cast<float>(error);
      sum += error;
    }
    const double scale = std::max(2.0, 1.5 * sum / static_cast<double>(count));
    for (ColourPair& pair : pairs) {
      const double ratio = static_cast<double>(pair.error) / scale;
      pair.weight = static_cast<float>(1 / (1 + ratio * ratio));
    }
  }
  const std::span<float> errors = errors_.span().first(count);
  for (size_t i = 0; i < count; ++i) errors[i] = pairs[i].error;
  const auto counted = static_cast<size_t>(kCounted * static_cast<double>(count - 1));
  std::nth_element(errors.begin(), errors.begin() + static_cast<std::ptrdiff_t>(counted), errors.end());
  return static_cast<double>(errors[counted]);
}

double ColourComparison::Of(const SmallColours& first, const SmallColours& second, const PlaceMap& map) {
  const double finer = std::sqrt(std::abs(map.determinant()) * second.width * second.height /
                                 (static_cast<double>(first.width) * first.height));
  if (finer < 0.999) return Of(second, first, map.Inverse());
  Blur(first, 1, first_);
  Blur(second, static_cast<int>(1.5 * finer), second_);
  size_t pairs = 0;
  double of_first = 0, of_second = 0;
  const auto colour = [](const ColourCell& cell) {
    return static_cast<double>(cell.blue * cell.blue + cell.red * cell.red);
  };
  for (int y = 0; y < first.height; ++y) {
    for (int x = 0; x < first.width; ++x) {
      const double u = (x + 0.5) / first.width, v = (y + 0.5) / first.height;
      const double at_x = (map.xx * u + map.xy * v + map.x) * second.width - 0.5;
      const double at_y = (map.yx * u + map.yy * v + map.y) * second.height - 0.5;
      if (!(at_x >= -0.1 && at_y >= -0.1 && at_x <= second.width - 0.9 && at_y <= second.height - 0.9))
        continue;
      const double clamped_x = std::clamp(at_x, 0.0, second.width - 1 - 1e-6);
      const double clamped_y = std::clamp(at_y, 0.0, second.height - 1 - 1e-6);
      const int left = static_cast<int>(clamped_x), upper = static_cast<int>(clamped_y);
      const auto fx = static_cast<float>(clamped_x - left), fy = static_cast<float>(clamped_y - upper);
      const ColourCell* const from = second_.data() + upper * second.width + left;
      const auto between = [&](float ColourCell::*part) {
        const float over = from[0].*part + fx * (from[1].*part - from[0].*part);
        const ColourCell* const below = from + second.width;
        const float under = below[0].*part + fx * (below[1].*part - below[0].*part);
        return over + fy * (under - over);
      };
      const ColourCell one = first_[static_cast<size_t>(y * first.width + x)];
      const ColourCell other = {between(&ColourCell::luma), between(&ColourCell::blue),
                                between(&ColourCell::red)};
      of_first += colour(one), of_second += colour(other);
      pairs_[pairs++] = {one, other};
    }
  }
  if (pairs < 4) return 0;
  const auto swap = [&] {
    for (ColourPair& pair : pairs_.span().first(pairs)) std::swap(pair.from, pair.to);
  };
  // What has less colour may have lost it; and it is a grey or a toned copy whose colours are a tint.
  if (of_first < of_second) swap();
  const double lost = std::min(Explained(pairs, false), Explained(pairs, true));
  swap();
  return std::min({255.0, lost, Explained(pairs, true)});
}

}  // namespace imgmill
