#include "torch/architectures/uni_upsample.h"

#include <algorithm>

#include "torch/architectures/same_bits.h"

namespace imgmill {
namespace {

using Kind = UniUpsampleKind;

constexpr double kSlope = 0.2, kSmallSlope = 0.01;  // of leaky ReLUs; the small one behind a first layer
/// Rows of features that are enlarged at once, and those above and below that they are seen with.
constexpr int64_t kBandRows = 32, kContext = 4;

/// A transposed convolution: each pixel of the input adds a kernel to the output.
struct Transposed {
  torch::Tensor weight, bias;
  int64_t stride = 2, padding = 1;
  torch::Tensor operator()(const torch::Tensor& x) const {
    return ConvTransposed2d(x, weight, bias, stride, padding);
  }
};

}  // namespace

UniUpsample::UniUpsample(Layers& layers, const std::string& name, const UniUpsampleShape& shape)
    : shape_(shape) {
  const int64_t in = shape.in, middle = shape.middle, bands = shape.bands;
  int64_t number = 0;  // what is left out has a number, too
  const auto next = [&] { return name + "." + std::to_string(number++); };
  const auto add = [&](std::function<torch::Tensor(torch::Tensor)> step) {
    steps_.push_back(std::move(step));
  };
  const auto conv = [&](int64_t out, int64_t from) { add(layers.Conv(next(), out, from)); };
  const auto shuffle = [&](int64_t by) {
    ++number;
    add([by](const torch::Tensor& x) { return torch::pixel_shuffle(x, by); });
  };
  const auto leaky = [&](double slope) {
    ++number;
    add([slope](torch::Tensor x) { return torch::leaky_relu_(x, slope); });
  };
  const auto nearest = [&](int64_t by) {
    ++number;
    add([by](const torch::Tensor& x) {
      return torch::upsample_nearest2d(x, {x.size(2) * by, x.size(3) * by});
    });
  };
  const auto transposed = [&](int64_t out, int64_t side, int64_t stride, int64_t padding) {
    const std::string layer = next();
    add(Transposed{layers.Parameter(layer + ".weight", {in, out, side, side}),
                   layers.Parameter(layer + ".bias", {out}), stride, padding});
  };
  const auto to_middle = [&] {
    if (middle == in) return;
    conv(middle, in);
    leaky(kSmallSlope);
  };

  layers.PassOver(name + ".MetaUpsample");
  switch (shape.kind) {
    case Kind::kConv:
      conv(bands, in);
      break;
    case Kind::kDirect:
      conv(bands * shape.scale * shape.scale, in);
      shuffle(shape.scale);
      break;
    case Kind::kShuffle:
      conv(middle, in);
      leaky(kSmallSlope);
      for (const int64_t by : shape.steps()) {
        conv(middle * by * by, middle);
        shuffle(by);
      }
      conv(bands, middle);
      break;
    case Kind::kNearest:
      for (const int64_t by : shape.steps()) {
        conv(in, in);
        nearest(by);
        leaky(kSlope);
      }
      conv(in, in);
      leaky(kSlope);
      conv(bands, in);
      break;
    case Kind::kDySample:
      to_middle();
      dy_sample_ = DySample(layers, next(), {middle, bands, shape.scale, shape.groups});
      break;
    case Kind::kTransposed:
      if (shape.scale == 3) {
        transposed(bands, 3, 3, 0);
      } else {
        if (shape.scale == 4) {
          transposed(in, 4, 2, 1);
          ++number;
          add([](torch::Tensor x) { return torch::gelu_(x); });
        }
        transposed(bands, 4, 2, 1);
      }
      conv(bands, bands);
      break;
    case Kind::kLocal:
      to_middle();
      local_ = LocalUpsample(layers, next(), {middle, shape.scale});
      last_ = layers.Conv(next(), bands, middle);
      break;
    case Kind::kPixelAttention: {
      int64_t from = in;
      for (const int64_t by : shape.steps()) {
        nearest(by);
        conv(middle, from);
        add([weigh = layers.Conv(next() + ".conv.0", middle, middle, 1)](torch::Tensor x) {
          return x.mul_(weigh(x).sigmoid_());
        });
        leaky(kSlope);
        conv(middle, middle);
        leaky(kSlope);
        from = middle;
      }
      conv(bands, middle);
      break;
    }
  }
}

torch::Tensor UniUpsample::Through(torch::Tensor x) const {
  for (const auto& step : steps_) x = step(std::move(x));
  return x;
}

torch::Tensor UniUpsample::operator()(const torch::Tensor& features) const {
  // These look at places in the whole image, and have bands of their own.
  if (shape_.kind == Kind::kDySample) return dy_sample_(Through(features));
  if (shape_.kind == Kind::kLocal) return local_(Through(features), last_);
  const int64_t height = features.size(2), scale = shape_.scale;
  torch::Tensor output = torch::empty(
      {features.size(0), shape_.bands, height * scale, features.size(3) * scale}, features.options());
  for (int64_t top = 0; top < height; top += kBandRows) {
    const int64_t rows = std::min(kBandRows, height - top);
    const int64_t first = std::max<int64_t>(0, top - kContext);
    const torch::Tensor made = Through(features.slice(2, first, std::min(height, top + rows + kContext)));
    output.narrow(2, top * scale, rows * scale).copy_(made.narrow(2, (top - first) * scale, rows * scale));
  }
  return output;
}

int64_t UniUpsample::Floats(const UniUpsampleShape& shape, int64_t height, int64_t width) {
  const int64_t scale = shape.scale,
                middle = shape.middle == shape.in ? 0 : 2 * shape.middle * height * width;
  if (shape.kind == Kind::kDySample)
    return middle + DySample::Floats({shape.middle, shape.bands, scale, shape.groups}, height, width);
  if (shape.kind == Kind::kLocal) return middle + LocalUpsample::Floats({shape.middle, scale}, height, width);
  const int64_t rows = std::min(height, kBandRows + 2 * kContext);
  // Of each pixel of the band.
  int64_t widest = 4 * shape.bands * scale * scale;
  if (shape.kind == Kind::kTransposed && scale == 4) widest += 3 * 4 * shape.in;
  if (shape.kind == Kind::kShuffle) widest += 3 * shape.middle * scale * scale;
  if (shape.kind == Kind::kNearest) widest += 3 * shape.in * scale * scale;
  if (shape.kind == Kind::kPixelAttention) widest += 3 * std::max(shape.in, shape.middle) * scale * scale;
  return rows * width * widest;
}

}  // namespace imgmill
