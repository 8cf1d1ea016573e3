#include "torch/architectures/dy_sample.h"

#include <algorithm>

namespace imgmill {
namespace {

/// Rows of the input that are enlarged at once: with all channels, the output takes many times the memory of
/// what comes before.
constexpr int64_t kBandRows = 32;

}  // namespace

DySample::DySample(Layers& layers, const std::string& name, const DySampleShape& shape) : shape_(shape) {
  const int64_t places = 2 * shape.groups * shape.scale * shape.scale;
  offset_ = layers.Conv(name + ".offset", places, shape.in, 1);
  scope_ = layers.Conv(name + ".scope", places, shape.in, {.side = 1, .bias = false});
  start_ = layers.Parameter(name + ".init_pos", {1, places, 1, 1});
  if (shape.last_layer) last_ = layers.Conv(name + ".end_conv", shape.out, shape.in, 1);
}

int64_t DySample::Floats(const DySampleShape& shape, int64_t height, int64_t width) {
  const int64_t pixels = std::min(height, kBandRows) * width * shape.scale * shape.scale;
  return height * width * shape.in + pixels * (8 * shape.groups + 2 * shape.in + shape.out);
}

torch::Tensor DySample::Places(const torch::Tensor& x, int64_t top, int64_t rows) const {
  const int64_t n = x.size(0), height = x.size(2), width = x.size(3);
  const int64_t scale = shape_.scale, groups = shape_.groups;
  const torch::Tensor band = x.slice(2, top, top + rows);
  // Half precision has no place between two pixels of a wide image.
  torch::Tensor places =
      offset_(band).to(torch::kFloat32).mul_(scope_(band).sigmoid_()).mul_(0.5).add_(start_);
  places = torch::pixel_shuffle(places, scale).view({n, 2, groups, rows * scale, width * scale});
  // The middle of each input pixel, for the output pixels that come of it.
  const auto middles = [&](int64_t first, int64_t count) {
    return torch::arange(first, first + count, places.options()).add_(0.5).repeat_interleave(scale);
  };
  places.select(1, 0).add_(middles(0, width).view({1, 1, 1, -1})).mul_(2.0 / static_cast<double>(width));
  places.select(1, 1).add_(middles(top, rows).view({1, 1, -1, 1})).mul_(2.0 / static_cast<double>(height));
  return places.sub_(1).permute({0, 2, 3, 4, 1}).contiguous().flatten(0, 1);
}

torch::Tensor DySample::operator()(const torch::Tensor& x) const {
  const int64_t n = x.size(0), height = x.size(2), width = x.size(3), scale = shape_.scale;
  const torch::Tensor grouped =
      x.contiguous().to(torch::kFloat32).view({n * shape_.groups, shape_.in / shape_.groups, height, width});
  torch::Tensor output = torch::empty({n, shape_.out, height * scale, width * scale}, x.options());
  for (int64_t top = 0; top < height; top += kBandRows) {
    const int64_t rows = std::min(kBandRows, height - top);
    constexpr int64_t kBilinear = 0, kBorder = 1;
    torch::Tensor band = torch::grid_sampler(grouped, Places(x, top, rows), kBilinear, kBorder,
                                             /*align_corners=*/false);
    band = band.view({n, shape_.in, rows * scale, width * scale}).to(x.scalar_type());
    output.narrow(2, top * scale, rows * scale).copy_(shape_.last_layer ? last_(band) : band);
  }
  return output;
}

}  // namespace imgmill
