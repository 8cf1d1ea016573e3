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
  last_ = layers.Conv(name + ".end_conv", shape.out, shape.in, 1);
}

int64_t DySample::Floats(const DySampleShape& shape, int64_t height, int64_t width) {
  const int64_t pixels = std::min(height, kBandRows) * width * shape.scale * shape.scale;
  return height * width * shape.in + pixels * (8 * shape.groups + 2 * shape.in + shape.out);
}

torch::Tensor SampledRows(const torch::Tensor& x, torch::Tensor places, int64_t first, int64_t scale,
                          int64_t groups) {
  const int64_t n = x.size(0), in = x.size(1), height = x.size(2), width = x.size(3);
  const int64_t rows = places.size(2);
  places = torch::pixel_shuffle(places, scale).view({n, 2, groups, rows * scale, width * scale});
  // The middle of each pixel that is read, for those that come of it; from -1 to 1 over the whole.
  const auto middles = [&](int64_t from, int64_t count) {
    return torch::arange(from, from + count, places.options()).add_(0.5).repeat_interleave(scale);
  };
  places.select(1, 0).add_(middles(0, width).view({1, 1, 1, -1})).mul_(2.0 / static_cast<double>(width));
  places.select(1, 1).add_(middles(first, rows).view({1, 1, -1, 1})).mul_(2.0 / static_cast<double>(height));
  places = places.sub_(1).permute({0, 2, 3, 4, 1}).contiguous().flatten(0, 1);
  const torch::Tensor grouped =
      x.contiguous().to(torch::kFloat32).view({n * groups, in / groups, height, width});
  constexpr int64_t kBilinear = 0, kBorder = 1;
  return torch::grid_sampler(grouped, places, kBilinear, kBorder, /*align_corners=*/false)
      .view({n, in, rows * scale, width * scale})
      .to(x.scalar_type());
}

torch::Tensor DySample::operator()(const torch::Tensor& x) const {
  const int64_t n = x.size(0), height = x.size(2), width = x.size(3), scale = shape_.scale;
  const torch::Tensor whole = x.contiguous().to(torch::kFloat32);
  torch::Tensor output = torch::empty({n, shape_.out, height * scale, width * scale}, x.options());
  for (int64_t top = 0; top < height; top += kBandRows) {
    const int64_t rows = std::min(kBandRows, height - top);
    const torch::Tensor band = x.slice(2, top, top + rows);
    torch::Tensor places =
        offset_(band).to(torch::kFloat32).mul_(scope_(band).sigmoid_()).mul_(0.5).add_(start_);
    const torch::Tensor sampled = SampledRows(whole, std::move(places), top, scale, shape_.groups);
    output.narrow(2, top * scale, rows * scale).copy_(last_(sampled.to(x.scalar_type())));
  }
  return output;
}

}  // namespace imgmill
