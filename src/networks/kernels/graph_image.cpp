#include "networks/kernels/graph_image.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace imgmill {
namespace {

bool Mirrors(const GraphInput& input, const KernelImage& image, const GraphShape& shape) {
  return shape.Height(0) * input.unshuffle < 2 * image.height &&
         shape.Width(0) * input.unshuffle < 2 * image.width;
}

/// What is added to a row of the output: the image's, enlarged.
class AddedInput {
 public:
  AddedInput(const GraphPlan& plan, const GraphShape& shape, const KernelImage& image, int band, int row)
      : input_(plan.input),
        how_(plan.output.adds_input),
        scale_(plan.scale),
        width_(shape.Width(0)),
        image_width_(image.width),
        mirrors_(Mirrors(plan.input, image, shape)) {
    const auto stored = [&](int y) {
      return image.input +
             (static_cast<size_t>(band) * static_cast<size_t>(image.height) + static_cast<size_t>(y)) *
                 static_cast<size_t>(image.width);
    };
    above_ = below_ = stored(row / scale_);
    if (how_ != InputAdded::kBilinear) return;
    const Between rows(row, shape.Height(0), shape.Height(0) * scale_);
    const auto seen = [&](int y) {
      const int source = SourceOf(y, image.height, input_, mirrors_);
      return source < 0 ? nullptr : stored(source);
    };
    above_ = seen(rows.first);
    below_ = seen(rows.second);
    share_ = rows.share;
  }

  float At(int x) const {
    if (how_ == InputAdded::kNearest) return above_[x / scale_];
    const Between columns(x, width_, width_ * scale_);
    const auto between = [&](const float* row) {
      const float left = Pixel(row, columns.first);
      return left + columns.share * (Pixel(row, columns.second) - left);
    };
    const float above = between(above_);
    return above + share_ * (between(below_) - above);
  }

 private:
  float Pixel(const float* row, int x) const {
    const int source = x < image_width_ ? x : SourceOf(x, image_width_, input_, mirrors_);
    return row == nullptr || source < 0 ? 0.0f : row[source];
  }

  const GraphInput& input_;
  const InputAdded how_;
  const int scale_, width_, image_width_;
  const bool mirrors_;
  const float *above_, *below_;
  float share_ = 0;
};

/// Row i of the squares that row y becomes, of one band.
bool PutOutRow(const GraphPlan& plan, const GraphShape& shape, const KernelImage& image, int y, int i,
               int band, const MapPixels<const float>& from) {
  constexpr float kMost = std::numeric_limits<float>::max();
  const GraphOutput& output = plan.output;
  const int s = output.shuffle, scale = plan.scale, row = y * s + i, width = image.width * scale;
  const auto rows = static_cast<size_t>(band * image.height * scale + row);
  float* to = image.output + rows * static_cast<size_t>(width);
  const float* square = from.first + (band * s + i) * s;
  const AddedInput added(plan, shape, image, band, row);
  bool finite = true;
  for (int x = 0; x < width; square += from.pixel) {
    const int end = std::min(x + s, width);
    for (const float* value = square; x < end; ++x, ++value) {
      float made = *value;
      if (output.adds_input != InputAdded::kNone) made += added.At(x);
      finite &= std::abs(made) <= kMost;
      if (output.end != MapFunction::kNone) Apply(output.end, &made, 1);
      to[x] = std::min(std::max(made, 0.0f), 1.0f);
    }
  }
  return finite;
}

}  // namespace

void TakeInRow(const GraphInput& input, const KernelImage& image, const GraphShape& shape, int y,
               const MapPixels<float>& to) {
  const int u = input.unshuffle, shown = input.bands * u * u;
  const auto width = static_cast<size_t>(image.width), plane = static_cast<size_t>(image.height) * width;
  const bool mirrors = Mirrors(input, image, shape);
  float* pixel = to.first;
  for (int x = 0; x < shape.Width(0); ++x, pixel += to.pixel) {
    std::memset(pixel, 0, to.pixel * sizeof(float));
    for (size_t n = 0; n < input.told.size(); ++n) pixel[static_cast<size_t>(shown) + n] = input.told[n];
    for (int c = 0; c < shown; ++c) {
      const int band = c / (u * u), inner = c % (u * u);
      const int from_y = SourceOf(y * u + inner / u, image.height, input, mirrors);
      const int from_x = SourceOf(x * u + inner % u, image.width, input, mirrors);
      if (from_y < 0 || from_x < 0) continue;  // zeros
      const float value = image.input[static_cast<size_t>(band) * plane +
                                      static_cast<size_t>(from_y) * width + static_cast<size_t>(from_x)];
      const float mean = input.mean.empty() ? 0.0f : input.mean[static_cast<size_t>(band)];
      pixel[c] = (value - mean) * input.range;
    }
  }
}

bool PutOutRows(const GraphPlan& plan, const GraphShape& shape, const KernelImage& image, int y,
                const MapPixels<const float>& from) {
  const int s = plan.output.shuffle;
  bool finite = true;
  for (int i = 0; i < s && y * s + i < image.height * plan.scale; ++i) {
    for (int band = 0; band < plan.input.bands; ++band)
      finite &= PutOutRow(plan, shape, image, y, i, band, from);
  }
  return finite;
}

}  // namespace imgmill
