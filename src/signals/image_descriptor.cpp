// The five parts of the built-in vector, each a plain loop over an image of 64x64.
#include "imgmill/signals/image_descriptor.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <numbers>

#include "imgmill/signals/perceptual_hash.h"
#include "signals/small_resize.h"

namespace imgmill {
namespace {

constexpr int kSide = 64;
constexpr int kPixels = kSide * kSide;
constexpr int kColourGrid = 8;
constexpr int kGrid = 4;  // cells each way of the parts that look at edges and texture
constexpr int kCell = kSide / kGrid;
constexpr int kOrientations = 8;
constexpr int kDctSide = 8;
constexpr int kColourBins = 4;

// Lengths of the parts in the whole: what two images share at first sight is where their edges and coarse
// shapes lie; the histogram knows no place, and texture changes with every re-encoding.
constexpr double kLayoutWeight = 0.7;
constexpr double kEdgeWeight = 1.0;
constexpr double kShapeWeight = 1.0;
constexpr double kHistogramWeight = 0.4;
constexpr double kTextureWeight = 0.3;

using Plane = std::array<double, kPixels>;

struct Planes {
  Plane y, cb, cr;  // 0..255, and -128..127
};

Planes SplitPlanes(const uint8_t* rgb) {
  Planes planes{};
  for (size_t i = 0; i < kPixels; ++i) {
    const double r = rgb[3 * i], g = rgb[3 * i + 1], b = rgb[3 * i + 2];
    planes.y[i] = 0.299 * r + 0.587 * g + 0.114 * b;
    planes.cb[i] = (b - planes.y[i]) * 0.564;
    planes.cr[i] = (r - planes.y[i]) * 0.713;
  }
  return planes;
}

double At(const Plane& plane, int x, int y) {
  return plane[static_cast<size_t>(y * kSide + x)];
}

/// Signed square root: evens out what few strong values would drown.
double Root(double value) {
  return value < 0 ? -std::sqrt(-value) : std::sqrt(value);
}

void Centre(std::span<double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  for (double& value : values) value -= sum / static_cast<double>(values.size());
}

/// Brings a part to its length, unless it is nothing but rounding: a plain image has no edges.
void Scale(std::span<double> values, double length) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  const double factor = squares > 1e-12 ? length / std::sqrt(squares) : 0.0;
  for (double& value : values) value *= factor;
}

void ColourLayout(const Planes& planes, std::span<double> out) {
  constexpr int cell = kSide / kColourGrid;
  size_t at = 0;
  for (const Plane* plane : {&planes.y, &planes.cb, &planes.cr}) {
    const double middle = plane == &planes.y ? 127.5 : 0.0;
    for (int cy = 0; cy < kColourGrid; ++cy) {
      for (int cx = 0; cx < kColourGrid; ++cx) {
        double sum = 0;
        for (int y = cy * cell; y < (cy + 1) * cell; ++y) {
          for (int x = cx * cell; x < (cx + 1) * cell; ++x) sum += At(*plane, x, y);
        }
        out[at++] = sum / (cell * cell) - middle;
      }
    }
  }
}

void Edges(const Plane& luma, std::span<double> out) {
  std::fill(out.begin(), out.end(), 0.0);
  for (int y = 1; y + 1 < kSide; ++y) {
    for (int x = 1; x + 1 < kSide; ++x) {
      const double dx = At(luma, x + 1, y) - At(luma, x - 1, y);
      const double dy = At(luma, x, y + 1) - At(luma, x, y - 1);
      double angle = std::atan2(dy, dx);
      if (angle < 0) angle += std::numbers::pi;
      const double place = angle / std::numbers::pi * kOrientations;
      const int lower = static_cast<int>(place);
      const double part = place - lower;
      const auto cell = static_cast<size_t>((y / kCell * kGrid + x / kCell) * kOrientations);
      const double strength = std::sqrt(dx * dx + dy * dy);
      out[cell + static_cast<size_t>(lower % kOrientations)] += strength * (1 - part);
      out[cell + static_cast<size_t>((lower + 1) % kOrientations)] += strength * part;
    }
  }
  for (double& value : out) value = Root(value);
  for (size_t cell = 0; cell < out.size(); cell += kOrientations) Centre(out.subspan(cell, kOrientations));
}

void Shape(const Plane& luma, std::span<double> out) {
  std::array<std::array<double, kSide>, kDctSide> basis{};
  for (int k = 0; k < kDctSide; ++k) {
    for (int i = 0; i < kSide; ++i) {
      basis[static_cast<size_t>(k)][static_cast<size_t>(i)] =
          std::cos((2 * i + 1) * k * std::numbers::pi / (2 * kSide)) * (k == 0 ? std::numbers::sqrt2 / 2 : 1);
    }
  }
  std::array<std::array<double, kDctSide>, kSide> rows{};
  for (int y = 0; y < kSide; ++y) {
    for (int k = 0; k < kDctSide; ++k) {
      double sum = 0;
      for (int x = 0; x < kSide; ++x) {
        sum += (At(luma, x, y) - 127.5) * basis[static_cast<size_t>(k)][static_cast<size_t>(x)];
      }
      rows[static_cast<size_t>(y)][static_cast<size_t>(k)] = sum;
    }
  }
  for (size_t v = 0; v < kDctSide; ++v) {
    for (size_t u = 0; u < kDctSide; ++u) {
      double sum = 0;
      for (size_t y = 0; y < kSide; ++y) sum += rows[y][u] * basis[v][y];
      out[v * kDctSide + u] = Root(sum);
    }
  }
}

void Histogram(const uint8_t* rgb, std::span<double> out) {
  std::fill(out.begin(), out.end(), 0.0);
  for (size_t i = 0; i < kPixels; ++i) {
    std::array<size_t, 3> lower{};
    std::array<double, 3> part{};
    for (size_t band = 0; band < 3; ++band) {
      const double place = rgb[3 * i + band] / 255.0 * (kColourBins - 1);
      lower[band] = std::min(static_cast<size_t>(place), size_t{kColourBins - 2});
      part[band] = place - static_cast<double>(lower[band]);
    }
    for (size_t corner = 0; corner < 8; ++corner) {
      double weight = 1;
      size_t bin = 0;
      for (size_t band = 0; band < 3; ++band) {
        const size_t up = corner >> band & 1;
        weight *= up != 0 ? part[band] : 1 - part[band];
        bin = bin * kColourBins + lower[band] + up;
      }
      out[bin] += weight;
    }
  }
  for (double& value : out) value = Root(value);
  Centre(out);
}

void Texture(const Plane& luma, std::span<double> out) {
  size_t at = 0;
  for (int cy = 0; cy < kGrid; ++cy) {
    for (int cx = 0; cx < kGrid; ++cx) {
      double sum = 0, squares = 0, right = 0, down = 0, laplacian = 0;
      for (int y = cy * kCell; y < (cy + 1) * kCell; ++y) {
        for (int x = cx * kCell; x < (cx + 1) * kCell; ++x) {
          const double value = At(luma, x, y);
          const int x0 = std::max(0, x - 1), x1 = std::min(kSide - 1, x + 1);
          const int y0 = std::max(0, y - 1), y1 = std::min(kSide - 1, y + 1);
          sum += value;
          squares += value * value;
          right += std::abs(At(luma, x1, y) - value);
          down += std::abs(At(luma, x, y1) - value);
          laplacian +=
              std::abs(At(luma, x0, y) + At(luma, x1, y) + At(luma, x, y0) + At(luma, x, y1) - 4 * value);
        }
      }
      constexpr double n = kCell * kCell;
      out[at++] = std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
      out[at++] = right / n;
      out[at++] = down / n;
      out[at++] = laplacian / n;
    }
  }
}

}  // namespace

struct ImageDescriptor::Impl {
  explicit Impl(const Layout& layout) : resize(layout, kSide, kSide, ResizeFilter::kTriangle) {}
  SmallResize resize;
};

ImageDescriptor::ImageDescriptor(const Layout& layout) : impl_(new Impl(layout)) {
  assert(layout.bands == 3);
}

ImageDescriptor::~ImageDescriptor() = default;

void ImageDescriptor::Add(const ImageView& rows) {
  impl_->resize.Add(rows);
}

namespace {

/// @param planes  of one, to work in
void Describe(const uint8_t* rgb, PoolArray<Planes>& planes,
              std::span<float, ImageDescriptor::kLength> descriptor) {
  planes[0] = SplitPlanes(rgb);
  std::array<double, ImageDescriptor::kLength> parts{};
  std::span<double> left(parts);
  const auto take = [&](size_t count) {
    const std::span<double> part = left.first(count);
    left = left.subspan(count);
    return part;
  };
  const std::span<double> layout = take(3 * kColourGrid * kColourGrid);
  ColourLayout(planes[0], layout);
  Scale(layout, kLayoutWeight);
  const std::span<double> edges = take(kGrid * kGrid * kOrientations);
  Edges(planes[0].y, edges);
  Scale(edges, kEdgeWeight);
  const std::span<double> shape = take(kDctSide * kDctSide);
  Shape(planes[0].y, shape);
  Scale(shape, kShapeWeight);
  const std::span<double> histogram = take(kColourBins * kColourBins * kColourBins);
  Histogram(rgb, histogram);
  Scale(histogram, kHistogramWeight);
  const std::span<double> texture = take(kGrid * kGrid * 4);
  Texture(planes[0].y, texture);
  Scale(texture, kTextureWeight);
  assert(left.empty());
  Scale(parts, 1.0);
  std::transform(parts.begin(), parts.end(), descriptor.begin(),
                 [](double value) { return static_cast<float>(value); });
}

}  // namespace

void ImageDescriptor::Finish(std::span<float, kLength> descriptor) {
  FinishPoses({}, descriptor);
}

void ImageDescriptor::FinishPoses(std::span<const int> poses, std::span<float> descriptors) {
  assert(descriptors.size() == (1 + poses.size()) * kLength);
  const uint8_t* rgb = impl_->resize.Finish();
  PoolArray<Planes> planes(1);
  Describe(rgb, planes, descriptors.first<kLength>());
  std::array<uint8_t, size_t{3} * kPixels> turned;
  for (size_t i = 0; i < poses.size(); ++i) {
    for (size_t at = 0; at < kPixels; ++at) {
      const size_t from = PixelOfPose(poses[i], at % kSide, at / kSide, kSide);
      std::copy_n(rgb + 3 * from, 3, turned.data() + 3 * at);
    }
    Describe(turned.data(), planes, descriptors.subspan((1 + i) * kLength).first<kLength>());
  }
}

size_t ImageDescriptor::PooledBytes(const Layout& layout) {
  return SmallResize::PooledBytes(layout, kSide, kSide, ResizeFilter::kTriangle) + sizeof(Planes);
}

}  // namespace imgmill
