// The strokes of brush.h, antialiased by OpenCV's fixed-point drawing.
#include "brush.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace sample {
namespace {

// OpenCV takes coordinates in 1/16 pixel with this shift.
constexpr int kShift = 4;

cv::Point Fixed(cv::Point2d point) {
  return {static_cast<int>(std::lround(point.x * (1 << kShift))),
          static_cast<int>(std::lround(point.y * (1 << kShift)))};
}

}  // namespace

uint64_t Random::Next() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

double Random::Between(double low, double high) {
  return low + (high - low) * static_cast<double>(Next() >> 11) * 0x1p-53;
}

cv::Scalar Colour(uint32_t rgb) {
  return {double(rgb & 255), double(rgb >> 8 & 255), double(rgb >> 16 & 255)};
}

cv::Mat Gradient(int width, int height, uint32_t top, uint32_t bottom) {
  cv::Mat canvas(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    const double t = static_cast<double>(y) / (height - 1);
    canvas.row(y).setTo(Colour(top) * (1 - t) + Colour(bottom) * t);
  }
  return canvas;
}

cv::Mat Noise(Random& random, int width, int height, double cell, int octaves) {
  cv::Mat sum(height, width, CV_32F, cv::Scalar(0));
  double weight = 0.5;
  for (int octave = 0; octave < octaves; ++octave, cell = std::max(1.0, cell / 2), weight /= 2) {
    cv::Mat grid(static_cast<int>(height / cell) + 3, static_cast<int>(width / cell) + 3, CV_32F);
    for (int y = 0; y < grid.rows; ++y) {
      for (int x = 0; x < grid.cols; ++x) grid.at<float>(y, x) = static_cast<float>(random.Between(0, 1));
    }
    cv::Mat layer;
    cv::resize(grid, layer, {}, cell, cell, cv::INTER_CUBIC);
    sum += weight * layer(cv::Rect(0, 0, width, height));
  }
  cv::Mat noise;
  cv::normalize(sum, noise, 0, 1, cv::NORM_MINMAX);
  return noise;
}

void Tint(cv::Mat& canvas, uint32_t colour, const cv::Mat& amount) {
  const cv::Scalar target = Colour(colour);
  for (int y = 0; y < canvas.rows; ++y) {
    for (int x = 0; x < canvas.cols; ++x) {
      const double t = std::clamp(static_cast<double>(amount.at<float>(y, x)), 0.0, 1.0);
      cv::Vec3b& pixel = canvas.at<cv::Vec3b>(y, x);
      for (int band = 0; band < 3; ++band) {
        pixel[band] = cv::saturate_cast<uchar>(pixel[band] * (1 - t) + target[band] * t);
      }
    }
  }
}

void Ridge(cv::Mat& canvas, Random& random, double height_at, double rough, double cell, uint32_t colour) {
  const cv::Mat line = Noise(random, canvas.cols, 1, cell, 5);
  std::vector<cv::Point2d> corners{{canvas.cols + 4.0, canvas.rows + 4.0}, {-4, canvas.rows + 4.0}};
  for (int x = 0; x < canvas.cols; x += 2)
    corners.emplace_back(x, height_at + rough * (2 * line.at<float>(0, x) - 1));
  corners.emplace_back(canvas.cols + 4.0, corners.back().y);
  Shape(canvas, corners, colour);
}

void Disc(cv::Mat& canvas, double x, double y, double radius, uint32_t colour) {
  cv::circle(canvas, Fixed({x, y}), static_cast<int>(radius * (1 << kShift)), Colour(colour), cv::FILLED,
             cv::LINE_AA, kShift);
}

void Glow(cv::Mat& canvas, double x, double y, double radius, uint32_t colour, double strength) {
  cv::Mat amount(canvas.size(), CV_32F, cv::Scalar(0));
  for (int row = 0; row < amount.rows; ++row) {
    for (int column = 0; column < amount.cols; ++column) {
      const double t = std::max(0.0, 1 - std::hypot(column - x, row - y) / radius);
      amount.at<float>(row, column) = static_cast<float>(strength * t * t);
    }
  }
  Tint(canvas, colour, amount);
}

void Box(cv::Mat& canvas, double x, double y, double width, double height, uint32_t colour) {
  Shape(canvas, {{x, y}, {x + width, y}, {x + width, y + height}, {x, y + height}}, colour);
}

void Shape(cv::Mat& canvas, const std::vector<cv::Point2d>& corners, uint32_t colour) {
  std::vector<cv::Point> fixed;
  for (const cv::Point2d& corner : corners) fixed.push_back(Fixed(corner));
  cv::fillPoly(canvas, std::vector<std::vector<cv::Point>>{fixed}, Colour(colour), cv::LINE_AA, kShift);
}

void Stroke(cv::Mat& canvas, cv::Point2d from, cv::Point2d to, uint32_t colour, int thickness) {
  cv::line(canvas, Fixed(from), Fixed(to), Colour(colour), thickness, cv::LINE_AA, kShift);
}

void Text(cv::Mat& canvas, const std::string& text, double x, double baseline, double scale, uint32_t colour,
          int thickness) {
  cv::putText(canvas, text, {static_cast<int>(x), static_cast<int>(baseline)}, cv::FONT_HERSHEY_DUPLEX, scale,
              Colour(colour), thickness, cv::LINE_AA);
}

void Grain(cv::Mat& canvas, Random& random, double sigma) {
  for (int y = 0; y < canvas.rows; ++y) {
    for (int x = 0; x < canvas.cols; ++x) {
      // The sum of three uniforms is near enough to a normal for the eye; its deviation is 1/2.
      const double grain =
          2 * sigma * (random.Between(0, 1) + random.Between(0, 1) + random.Between(0, 1) - 1.5);
      for (int band = 0; band < 3; ++band) {
        uchar& sample = canvas.at<cv::Vec3b>(y, x)[band];
        sample = cv::saturate_cast<uchar>(sample + grain);
      }
    }
  }
}

}  // namespace sample
