// How pixels become a network's input: what a command is told of it, and what a weight file's architecture
// says.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace imgmill {

/// Filters of Pillow's resize, all widened by the scale when shrinking: Lanczos with a = 3, the triangle that
/// it calls BILINEAR, and the cubic of a = -1/2, BICUBIC.
enum class ResizeFilter : uint8_t { kLanczos, kTriangle, kCubic };

/// How an image becomes a square.
enum class SquareRule : uint8_t {
  kSquash,   ///< the whole image is squeezed into it
  kCrop,     ///< the largest square in its middle is
  kShorter,  ///< the image's shorter side is brought to a length, then the square is cut out of its middle
  kGrid,     ///< there are several: squares of the image as it is, on a grid (see GridSquares)
};

/// Another value anywhere gives other vectors. Trivially copyable: a catalog keeps it as bytes.
struct ModelInput {
  /// Pixels each way.
  int side = 224;
  SquareRule rule = SquareRule::kSquash;
  /// Of kShorter: what the shorter side is brought to, at least `side`.
  int shorter = 0;
  /// Of kGrid: squares each way. What the network gives is the mean over all of them.
  int grid = 0;
  ResizeFilter filter = ResizeFilter::kTriangle;
  /// Of kShorter, where the square cannot lie just in the middle: it goes half a pixel towards the beginning.
  /// Otherwise to the even of the two places, as torchvision has it.
  bool crop_floors = false;
  /// Blue first.
  bool bgr = false;
  /// Input = pixel * scale + shift for pixels of 0..255, a band each.
  std::array<float, 3> scale = {1, 1, 1};
  std::array<float, 3> shift = {0, 0, 0};

  /// (pixel / 255 - mean) / deviation
  void SetMean(const std::array<double, 3>& mean, const std::array<double, 3>& deviation);

  /// How many squares are made of an image.
  int Squares() const { return rule == SquareRule::kGrid ? grid * grid : 1; }

  /// One line that is equal only for equal inputs.
  std::string Describe() const;
};

/// "bilinear", "bicubic", "lanczos".
std::string_view ToString(ResizeFilter filter);

}  // namespace imgmill
