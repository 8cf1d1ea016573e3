// Resampling weights of the classical kernels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace imgmill {

enum class Kernel { kNearest, kLinear, kCubic, kMitchell, kLanczos2, kLanczos3 };

std::optional<Kernel> KernelFromName(const std::string& name);

/// Which inputs, with which weights, make each output along one axis.
struct Taps {
  int64_t most = 0;            ///< weights an output has at most
  std::vector<int64_t> first;  ///< first input of each output
  std::vector<int64_t> count;  ///< inputs of each output, 1 to `most`
  std::vector<float> weights;  ///< `most` for each output; they sum to 1
};

/// Pixel centres lie at halves, so the image's borders stay where they are; beyond them there is nothing, and
/// the weights inside are scaled up to 1 (as Pillow does it). When shrinking, the kernel is widened.
Taps MakeTaps(int64_t inputs, int64_t outputs, Kernel kernel);

}  // namespace imgmill
