// How FDAT ends: features to an image in one of eight ways, of which a tensor in the file says which.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "networks/uni_upsample_shape.h"
#include "torch/architectures/dy_sample.h"
#include "torch/architectures/layers.h"
#include "torch/architectures/local_upsample.h"

namespace imgmill {

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
