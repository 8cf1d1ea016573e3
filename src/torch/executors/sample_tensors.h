// Samples as files have them, on a device: the planes that a network takes, and its result rounded.
#pragma once

#include "imgmill/infer/model_runtime.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// The type of a tensor of such samples. LibTorch computes little with unsigned words: they pass as signed
/// ones of the same bits.
c10::ScalarType SampleType(const SampleForm& form);

/// n x 3 x height x width in 0..1, of n x height x width x bands samples: the colours, or alpha three times.
torch::Tensor ColourPlanes(const torch::Tensor& samples, const SampleForm& form, c10::ScalarType type);
torch::Tensor AlphaPlanes(const torch::Tensor& samples, const SampleForm& form, c10::ScalarType type);

/// Clamps n x 3 x height x width to 0..1, and rounds it (half to even) into those bands of n x height x width
/// x bands samples; of grey and alpha, the mean of the three. `planes` are spoilt.
void RoundColours(const torch::Tensor& planes, const SampleForm& form, const torch::Tensor& samples);
void RoundAlpha(const torch::Tensor& planes, const SampleForm& form, const torch::Tensor& samples);

}  // namespace imgmill
