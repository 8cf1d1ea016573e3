// What the scenes are painted with: a random source that is the same everywhere, and a few strokes on an
// image.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace sample {

/// SplitMix64: the same numbers on every machine and standard library, which std::uniform_* does not promise.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  /// From `low` up to, not including, `high`.
  double Between(double low, double high);
  int Pick(int count) { return static_cast<int>(Next() % static_cast<uint64_t>(count)); }

 private:
  uint64_t state_;
};

/// 0xRRGGBB as OpenCV's blue, green, red.
cv::Scalar Colour(uint32_t rgb);

/// A canvas, 8-bit BGR, running from one colour at the top to the other at the bottom.
cv::Mat Gradient(int width, int height, uint32_t top, uint32_t bottom);

/// Float noise in 0..1: `octaves` layers of smoothed random grids, the first with cells of `cell` pixels,
/// each next with half the cell and half the weight.
cv::Mat Noise(Random& random, int width, int height, double cell, int octaves);

/// Mixes `colour` into the canvas, where `amount` (float, 0..1, of the canvas' size) says how much.
void Tint(cv::Mat& canvas, uint32_t colour, const cv::Mat& amount);

/// Fills everything below a wavy line through `height_at`, `rough` pixels up and down.
void Ridge(cv::Mat& canvas, Random& random, double height_at, double rough, double cell, uint32_t colour);

void Disc(cv::Mat& canvas, double x, double y, double radius, uint32_t colour);
/// A disc of light: full strength in the middle, nothing at `radius`.
void Glow(cv::Mat& canvas, double x, double y, double radius, uint32_t colour, double strength);
void Box(cv::Mat& canvas, double x, double y, double width, double height, uint32_t colour);
void Shape(cv::Mat& canvas, const std::vector<cv::Point2d>& corners, uint32_t colour);
void Stroke(cv::Mat& canvas, cv::Point2d from, cv::Point2d to, uint32_t colour, int thickness);
void Text(cv::Mat& canvas, const std::string& text, double x, double baseline, double scale, uint32_t colour,
          int thickness);

/// Film grain: normal noise of `sigma` levels on luma.
void Grain(cv::Mat& canvas, Random& random, double sigma);

}  // namespace sample
