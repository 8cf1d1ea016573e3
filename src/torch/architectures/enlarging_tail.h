// How EDSR, and what came of it, end: convolutions and pixel shuffles by two (or one by three), and one more
// convolution at the output's size.
#pragma once

#include <string>
#include <vector>

#include "torch/architectures/graph_builder.h"
#include "torch/architectures/layers.h"
#include "torch/torch_headers.h"

namespace imgmill {

struct EnlargingTailShape {
  int64_t features = 0, bands = 3;
  int64_t ups = 0;   ///< shuffles
  int64_t each = 2;  ///< what each enlarges by
  int64_t side = 3;  ///< of the last kernel

  int64_t scale() const;
};

/// Read off the layers `name`.0, `name`.2 and so on; 0 shuffles where their shapes are no such thing.
EnlargingTailShape ReadEnlargingTail(const StateDict& weights, const std::string& name, int64_t features);

class EnlargingTail {
 public:
  EnlargingTail() = default;
  /// @param ups  as for ReadEnlargingTail
  /// @param last  name of the last convolution
  EnlargingTail(Layers& layers, const std::string& ups, const std::string& last,
                const EnlargingTailShape& shape);
  /// In bands of rows: for each pixel of the input there are up to 64 of all features.
  torch::Tensor operator()(const torch::Tensor& features) const;
  /// Floats that it holds at the peak beside input and output.
  static int64_t Floats(const EnlargingTailShape& shape, int64_t height, int64_t width);

 private:
  EnlargingTailShape shape_;
  std::vector<Convolution> ups_;
  Convolution last_;
};

/// The same on our own kernels.
/// @param last  the last convolution; `end`: what becomes of its values
FeatureMap AddEnlargingTail(GraphBuilder& graph, const std::string& ups, const Convolution& last,
                            const EnlargingTailShape& shape, const FeatureMap& features, const GraphEnd& end);

}  // namespace imgmill
