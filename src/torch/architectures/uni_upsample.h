// How FDAT ends: features to an image in one of eight ways, of which a tensor in the file says which
// (MetaUpsample). Its layers are numbered in the order in which they run.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "torch/architectures/dy_sample.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/local_upsample.h"

namespace imgmill {

/// By the numbers that files use.
enum class UniUpsampleKind {
  kConv,            ///< one convolution, at the input's size
  kDirect,          ///< one convolution to the channels of all output pixels, one pixel shuffle
  kShuffle,         ///< a convolution, then one and a pixel shuffle for each doubling, one more
  kNearest,         ///< a convolution and nearest neighbours for each doubling, two more
  kDySample,        ///< a learned place for each output pixel
  kTransposed,      ///< transposed convolutions, and one more
  kLocal,           ///< attention around each output pixel
  kPixelAttention,  ///< nearest neighbours and two convolutions for each doubling, the first one weighed
};

struct UniUpsampleShape {
  UniUpsampleKind kind = UniUpsampleKind::kConv;
  int64_t scale = 1;
  int64_t in = 0, middle = 0, bands = 3;
  int64_t groups = 4;  ///< of kDySample

  /// Side of each step's enlargement; none where there is no such scale.
  std::vector<int64_t> steps() const;
};

/// Reads `name`.MetaUpsample; false where there is none, or none that this knows.
/// @param in  features
bool ReadUniUpsample(const StateDict& weights, const std::string& name, int64_t in, UniUpsampleShape& shape);

class UniUpsample {
 public:
  UniUpsample() = default;
  UniUpsample(Layers& layers, const std::string& name, const UniUpsampleShape& shape);
  /// n x in x height x width to n x bands x (height * scale) x (width * scale).
  torch::Tensor operator()(const torch::Tensor& features) const;
  /// Floats that it holds at the peak beside input and output.
  static int64_t Floats(const UniUpsampleShape& shape, int64_t height, int64_t width);

 private:
  torch::Tensor Through(torch::Tensor x) const;

  UniUpsampleShape shape_;
  std::vector<std::function<torch::Tensor(torch::Tensor)>> steps_;
  DySample dy_sample_;
  LocalUpsample local_;
  Convolution last_;  ///< behind `local_`
};

}  // namespace imgmill
