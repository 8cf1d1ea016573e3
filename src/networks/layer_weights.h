// Layers of a graph as their weights come out of a state dict.
#pragma once

#include <string>

#include "networks/taken_tensors.h"
#include "networks/values.h"

namespace imgmill {

struct ConvWeights {
  Values weight;  ///< out x (in / groups) x side x side
  Values bias;    ///< out; undefined for none
  ConvShape shape;

  /// Some of its outputs, in no groups. @throws OutOfMemory
  ConvWeights Some(int64_t first, int64_t count) const;
};

/// A layer normalization over the channels of each pixel.
struct NormWeights {
  Values weight, bias;
  double epsilon = 1e-5;
};

/// What is taken is copied, as float32; undefined from the first thing on that is wrong.
class LayerWeights : public TakenTensors {
 public:
  using TakenTensors::TakenTensors;

  /// `name`.weight and `name`.bias.
  ConvWeights Conv(const std::string& name, int64_t out, int64_t in, const ConvShape& shape = {});
  ConvWeights Conv(const std::string& name, int64_t out, int64_t in, int64_t side) {
    return Conv(name, out, in, ConvShape{.side = side});
  }
  /// A convolution, with a bias or without, with the batch normalization behind it (`norm`.weight, bias,
  /// running_mean and running_var) folded in.
  ConvWeights ConvNorm(const std::string& conv, const std::string& norm, int64_t out, int64_t in,
                       ConvShape shape = {}, double epsilon = 1e-5);
  /// A 1x1 convolution whose weights are stored as a matrix, out x in.
  ConvWeights Pointwise(const std::string& name, int64_t out, int64_t in, bool bias = true);
  /// `name`.weight and `name`.bias of so many features.
  NormWeights Norm(const std::string& name, int64_t features, double epsilon = 1e-5);
  /// A tensor of just this shape.
  Values Parameter(const std::string& name, const std::vector<int64_t>& shape);

 private:
  Values Read(const WeightTensor* tensor);
};

}  // namespace imgmill
