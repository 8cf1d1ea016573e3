#include "torch/architectures/transformer_frame.h"

#include <algorithm>
#include <array>

namespace imgmill {
namespace {

constexpr std::array<float, 3> kMean = {0.4488f, 0.4371f, 0.4040f};  // of DIV2K, in all of these networks
constexpr double kSlope = 0.2;  // of leaky ReLUs, but of the one before the enlarging layers:
constexpr double kSmallSlope = 0.01;
/// Rows of features that are made an image at once, and those above and below that they are seen with.
constexpr int64_t kBandRows = 32;
constexpr int64_t kBandContext = 4;
/// With an auxiliary image there are two more convolutions at the input's size.
constexpr int64_t kAuxiliaryContext = kBandContext + 2;
/// Tiles and what they overlap by, as measured for SwinIR: attention reaches further than it matters.
constexpr int kTile = 256;
constexpr int kOverlap = 32;

std::string Up(int64_t number) {
  return "conv_up" + std::to_string(number);
}

/// What a side lacks to the next multiple.
int64_t Missing(const FramePlan& plan, int64_t side) {
  const int64_t multiple = plan.multiple * plan.unshuffle;
  return (multiple - side % multiple) % multiple;
}

/// What both sides are continued to first. Of an image that is too small to be mirrored to whole windows the
/// authors say nothing: their code fails. spandrel has this for it.
int64_t LeastSide(const FramePlan& plan, int64_t height, int64_t width) {
  constexpr int64_t kSmall = 16;
  const bool mirrors = Missing(plan, height) < height && Missing(plan, width) < width;
  return mirrors || plan.repeats_edge ? plan.least : std::max(plan.least, kSmall);
}

/// What such a network holds at its peak for one image.
size_t FrameBytes(const FramePlan& plan, const FrameTraits& traits, int64_t height, int64_t width) {
  const int64_t least = LeastSide(plan, height, width);
  const auto padded = [&](int64_t side) {
    side = std::max(side, least);
    return side + Missing(plan, side);
  };
  const int64_t rows = padded(height) / plan.unshuffle, columns = padded(width) / plan.unshuffle;
  const int64_t side = plan.scale() * plan.unshuffle;
  const int64_t outputs = plan.bands * rows * columns * side * side;
  const int64_t shown = 2 * plan.bands * padded(height) * padded(width);
  const int64_t body = rows * columns * traits.per_pixel + traits.at_once(height, columns);
  const int64_t band_rows = std::min(rows, kBandRows + 2 * kBandContext);
  const int64_t widest = plan.inner > 0 ? 5 * plan.inner / 2 : 2 * plan.bands;
  const int64_t tail = rows * columns * plan.features + band_rows * columns * widest * side * side + outputs;
  return static_cast<size_t>(shown + std::max(body, tail)) * sizeof(float);
}

}  // namespace

int FramePlan::scale() const {
  int64_t product = 1;
  for (const int64_t factor : factors) product *= factor;
  return static_cast<int>(product / unshuffle);
}

bool ReadFrame(const StateDict& weights, FramePlan& plan) {
  const WeightTensor* first = weights.Find("conv_first.weight");
  if (first == nullptr) {
    first = weights.Find("conv_first.1.weight");
    if (first == nullptr) return false;
    plan.first = "conv_first.1";
    while (plan.unshuffle < 8 && 3 * plan.unshuffle * plan.unshuffle != first->dim(1)) ++plan.unshuffle;
  }
  plan.features = first->dim(0);
  plan.bands = first->dim(1) / (plan.unshuffle * plan.unshuffle);
  if (plan.features < 1 || (plan.bands != 1 && plan.bands != 3)) return false;
  plan.shifts_mean = plan.bands == 3;
  const WeightTensor* up = weights.Find("upsample.0.weight");
  if (const WeightTensor* before = weights.Find("conv_before_upsample.0.weight"); before != nullptr) {
    plan.inner = before->dim(0);
    if (plan.inner < 1) return false;
    plan.tail = weights.Find(Up(1) + ".weight") != nullptr ? TailKind::kNearest : TailKind::kShuffle;
    for (int64_t i = 0; plan.factors.size() < 4; ++i) {
      const bool nearest = plan.tail == TailKind::kNearest;
      up = weights.Find((nearest ? Up(i + 1) : "upsample." + std::to_string(2 * i)) + ".weight");
      if (up == nullptr) break;
      plan.factors.push_back(nearest ? 2 : ShuffleScale(up->dim(0), plan.inner));
    }
  } else if (up != nullptr) {
    plan.tail = TailKind::kDirect;
    plan.factors = {ShuffleScale(up->dim(0), plan.bands)};
  } else {
    plan.tail = TailKind::kResidual;
  }
  return plan.scale() >= 1 && plan.scale() <= 8;
}

ResidualConv::ResidualConv(Layers& layers, const std::string& name, int64_t features) {
  if (layers.Has(name + ".0.weight")) {
    const int64_t inner = layers.Outputs(name + ".0.weight");
    convs_.push_back(layers.Conv(name + ".0", inner, features));
    convs_.push_back(layers.Conv(name + ".2", inner, inner, 1));
    convs_.push_back(layers.Conv(name + ".4", features, inner));
  } else if (layers.Has(name + ".weight")) {
    convs_.push_back(layers.Conv(name, features, features));
  }
}

torch::Tensor ResidualConv::operator()(const torch::Tensor& x) const {
  torch::Tensor y = x;
  for (size_t i = 0; i < convs_.size(); ++i) {
    if (i > 0) torch::leaky_relu_(y, kSlope);
    y = convs_[i](y);
  }
  return y;
}

FramedNet::FramedNet(FramePlan plan, Layers& layers) : plan_(std::move(plan)) {
  const int64_t features = plan_.features, inner = plan_.inner;
  first_ = layers.Conv(plan_.first, features, plan_.bands * plan_.unshuffle * plan_.unshuffle);
  for (const char* name : {"patch_embed.norm", "before_RG.1"}) {
    if (layers.Has(std::string(name) + ".weight")) first_norm_ = layers.Norm(name, features);
  }
  last_norm_ = layers.Norm("norm", features);
  after_body_ = ResidualConv(layers, "conv_after_body", features);
  switch (plan_.tail) {
    case TailKind::kDirect:
      last_ = layers.Conv("upsample.0", plan_.bands * plan_.factors[0] * plan_.factors[0], features);
      return;
    case TailKind::kResidual:
      last_ = layers.Conv("conv_last", plan_.bands, features);
      return;
    case TailKind::kNearest:
    case TailKind::kShuffle:
      break;
  }
  before_ = layers.Conv("conv_before_upsample.0", inner, features);
  for (size_t i = 0; i < plan_.factors.size(); ++i) {
    const auto number = static_cast<int64_t>(i);
    ups_.push_back(plan_.tail == TailKind::kNearest
                       ? layers.Conv(Up(number + 1), inner, inner)
                       : layers.Conv("upsample." + std::to_string(2 * number),
                                     inner * plan_.factors[i] * plan_.factors[i], inner));
  }
  if (plan_.auxiliary) {
    enlarged_ = layers.Conv("conv_bicubic", inner, plan_.bands);
    to_auxiliary_ = layers.Conv("conv_aux", plan_.bands, inner);
    from_auxiliary_ = layers.Conv("conv_after_aux.0", inner, plan_.bands);
  }
  if (plan_.tail == TailKind::kNearest) hr_ = layers.Conv("conv_hr", inner, inner);
  last_ = layers.Conv("conv_last", plan_.bands, inner);
}

torch::Tensor FramedNet::forward(torch::Tensor input) {
  const int64_t height = input.size(2), width = input.size(3), scale = plan_.scale();
  torch::Tensor mean;
  if (plan_.shifts_mean)
    mean = torch::tensor({kMean[0], kMean[1], kMean[2]}, input.options()).view({1, 3, 1, 1});
  torch::Tensor shown = Padded(input);
  if (plan_.shifts_mean) shown = shown - mean;
  if (plan_.range != 1) shown = shown * plan_.range;
  torch::Tensor output;
  {
    torch::Tensor x = first_(plan_.unshuffle > 1 ? torch::pixel_unshuffle(shown, plan_.unshuffle) : shown);
    x = Pixels(x);
    Planes(x).add_(after_body_(Planes(Features(x))));
    const int64_t least = LeastSide(plan_, height, width);
    output = plan_.auxiliary
                 ? AuxiliaryImage(Planes(x), shown, std::max(height, least), std::max(width, least))
                 : Image(Planes(x));
  }
  if (plan_.tail == TailKind::kResidual) output.add_(shown);
  if (plan_.range != 1) output.div_(plan_.range);
  if (plan_.shifts_mean) output.add_(mean);
  return output.slice(2, 0, height * scale).slice(3, 0, width * scale);
}

/// `x` is kept, and must not change.
torch::Tensor FramedNet::Features(const torch::Tensor& x) const {
  torch::Tensor y = Embedded(x);
  y = first_norm_ ? (*first_norm_)(y) : y.clone();
  Blocks(y);
  return last_norm_(y);
}

torch::Tensor FramedNet::Padded(const torch::Tensor& input) const {
  const int64_t side = LeastSide(plan_, input.size(2), input.size(3));
  const auto too_few = [&](int64_t of) { return std::max<int64_t>(0, side - of); };
  const torch::Tensor least = Mirrored(input, too_few(input.size(2)), too_few(input.size(3)));
  return Mirrored(least, Missing(plan_, least.size(2)), Missing(plan_, least.size(3)), plan_.repeats_edge);
}

/// A band of rows at a time: for each pixel of the input there are many of all inner features.
torch::Tensor FramedNet::Image(const torch::Tensor& features) const {
  const int64_t height = features.size(2), side = plan_.scale() * plan_.unshuffle;
  torch::Tensor output = torch::empty({features.size(0), plan_.bands, height * side, features.size(3) * side},
                                      features.options());
  for (int64_t top = 0; top < height; top += kBandRows) {
    const int64_t rows = std::min(kBandRows, height - top);
    const int64_t first = std::max<int64_t>(0, top - kBandContext);
    const torch::Tensor made =
        Enlarged(features.slice(2, first, std::min(height, top + rows + kBandContext)));
    output.narrow(2, top * side, rows * side).copy_(made.narrow(2, (top - first) * side, rows * side));
  }
  return output;
}

torch::Tensor FramedNet::Enlarged(torch::Tensor x) const {
  if (plan_.tail == TailKind::kResidual) return last_(x);
  if (plan_.tail == TailKind::kDirect) return torch::pixel_shuffle(last_(x), plan_.factors[0]);
  x = before_(x);
  torch::leaky_relu_(x, kSmallSlope);
  for (size_t i = 0; i < ups_.size(); ++i) {
    if (plan_.tail == TailKind::kShuffle) {
      x = torch::pixel_shuffle(ups_[i](x), plan_.factors[i]);
    } else {
      x = ups_[i](torch::upsample_nearest2d(x, {x.size(2) * 2, x.size(3) * 2}));
      torch::leaky_relu_(x, kSlope);
    }
  }
  if (plan_.tail == TailKind::kNearest) {
    x = hr_(x);
    torch::leaky_relu_(x, kSlope);
  }
  return last_(x);
}

/// The features become an image of the input's size, and this the features that are enlarged. Those of the
/// input, enlarged by cubic interpolation, are added. As the authors have it, the padded input is
/// interpolated to the output of the image without padding to whole windows.
torch::Tensor FramedNet::AuxiliaryImage(const torch::Tensor& features, const torch::Tensor& shown,
                                        int64_t height, int64_t width) const {
  const int64_t side = plan_.scale();
  const torch::Tensor cubic =
      torch::upsample_bicubic2d(shown, {height * side, width * side}, /*align_corners=*/false);
  torch::Tensor output = torch::zeros(
      {features.size(0), plan_.bands, features.size(2) * side, features.size(3) * side}, features.options());
  for (int64_t top = 0; top < height; top += kBandRows) {
    const int64_t rows = std::min(kBandRows, height - top);
    const int64_t first = std::max<int64_t>(0, top - kAuxiliaryContext);
    torch::Tensor x =
        before_(features.slice(2, first, std::min(features.size(2), top + rows + kAuxiliaryContext)));
    x = from_auxiliary_(to_auxiliary_(torch::leaky_relu_(x, kSmallSlope)));
    torch::leaky_relu_(x, kSmallSlope);
    for (size_t i = 0; i < ups_.size(); ++i) x = torch::pixel_shuffle(ups_[i](x), plan_.factors[i]);
    // The last convolution sees no padding: rows and columns beyond the image are dropped before it. `from`
    // to `to` are what it needs.
    const int64_t from = std::max<int64_t>(0, top * side - 1);
    const int64_t to = std::min(height * side, (top + rows) * side + 1);
    x = x.slice(2, from - first * side, to - first * side).slice(3, 0, width * side).contiguous();
    const int64_t before = std::max<int64_t>(0, from - 1);
    x.add_(enlarged_(cubic.slice(2, before, std::min(height * side, to + 1)))
               .slice(2, from - before, to - before));
    output.narrow(2, top * side, rows * side)
        .slice(3, 0, width * side)
        .copy_(last_(x).slice(2, top * side - from, (top + rows) * side - from));
  }
  return output;
}

UpscaleNetworkParts FrameParts(const FramePlan& plan, ModelInfo info, FrameTraits traits) {
  info.scale = plan.scale();
  info.bands = static_cast<int>(plan.bands);
  info.receptive_radius = traits.radius < 0 ? -1 : static_cast<int>(traits.radius * plan.unshuffle);
  info.tile_grid = static_cast<int>(traits.grid * plan.unshuffle);
  UpscaleNetworkParts parts;
  parts.info = std::move(info);
  parts.tile = kTile;
  parts.overlap = kOverlap;
  parts.bytes = [plan, traits = std::move(traits)](int height, int width) {
    return FrameBytes(plan, traits, height, width);
  };
  return parts;
}

}  // namespace imgmill
