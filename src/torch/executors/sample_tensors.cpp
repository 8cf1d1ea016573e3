#include "torch/executors/sample_tensors.h"

namespace imgmill {
namespace {

constexpr int64_t kPlanes = 3;
constexpr int64_t kBands = 3;  ///< the dimension of the samples' bands

double Full(const SampleForm& form) {
  return form.bits == 8 ? 255 : 65535;
}

torch::Tensor Planes(const torch::Tensor& bands, const SampleForm& form, c10::ScalarType type) {
  constexpr int64_t kWordMask = 0xFFFF;
  const torch::Tensor values = form.bits == 8 ? bands : bands.to(torch::kInt32).bitwise_and_(kWordMask);
  const torch::Tensor shares = values.to(torch::kFloat32).div_(Full(form)).to(type);
  // A view of bands last: what LibTorch calls channels last, without a copy of three.
  const torch::Tensor planes = shares.permute({0, 3, 1, 2});
  return planes.size(1) == kPlanes ? planes : planes.expand({-1, kPlanes, -1, -1});
}

/// Image by image, as the values in between take several times an image's bytes.
void Round(const torch::Tensor& planes, const SampleForm& form, const torch::Tensor& bands) {
  for (int64_t i = 0; i < planes.size(0); ++i) {
    torch::Tensor image = planes[i].to(torch::kFloat32).clamp_(0.0, 1.0);
    if (bands.size(kBands) == 1) image = ((image[0] + image[1]).add_(image[2]).div_(3.0)).unsqueeze(0);
    image.mul_(Full(form)).round_();
    if (form.bits > 8) image = image.to(torch::kInt32);  // words wrap into the sign, floats need not
    bands[i].copy_(image.permute({1, 2, 0}));
  }
}

}  // namespace

c10::ScalarType SampleType(const SampleForm& form) {
  return form.bits == 8 ? torch::kUInt8 : torch::kInt16;
}

torch::Tensor ColourPlanes(const torch::Tensor& samples, const SampleForm& form, c10::ScalarType type) {
  return Planes(samples.narrow(kBands, 0, form.colours()), form, type);
}

torch::Tensor AlphaPlanes(const torch::Tensor& samples, const SampleForm& form, c10::ScalarType type) {
  return Planes(samples.narrow(kBands, form.colours(), 1), form, type);
}

void RoundColours(const torch::Tensor& planes, const SampleForm& form, const torch::Tensor& samples) {
  Round(planes, form, samples.narrow(kBands, 0, form.colours()));
}

void RoundAlpha(const torch::Tensor& planes, const SampleForm& form, const torch::Tensor& samples) {
  Round(planes, form, samples.narrow(kBands, form.colours(), 1));
}

}  // namespace imgmill
