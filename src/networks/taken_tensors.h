// Tensors as they are taken out of a state dict by name, each shape checked, and nothing left over.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "networks/weights/state_dict.h"

namespace imgmill {

/// How a convolution differs from the usual one: 3x3, of stride 1, that keeps the size and has a bias.
struct ConvShape {
  int64_t side = 3;
  int64_t width = 0;  ///< of the kernel; 0: as wide as high
  int64_t stride = 1;
  int64_t groups = 1;    ///< as many as inputs: depthwise
  int64_t padding = -1;  ///< -1: what keeps the size
  int64_t dilation = 1;
  bool bias = true;
};

/// The first thing that is wrong is kept for Finish, and nothing is found from then on, so that a network is
/// written down without a check at each line.
class TakenTensors {
 public:
  /// @param weights  must outlive it
  explicit TakenTensors(const StateDict& weights) : weights_(weights) {}

  bool Has(std::string_view name) const { return weights_.Find(name) != nullptr; }
  /// The first side of that tensor: its layer's outputs. -1 where there is none.
  int64_t Outputs(std::string_view name) const { return Side(name, 0); }
  /// Any of its sides.
  int64_t Side(std::string_view name, size_t index) const;
  /// The network has no use for this tensor, which may be there.
  void PassOver(const std::string& name);
  /// Nor for any whose name ends so: ".relative_position_index", which follows from the shape.
  void PassOverAll(std::string_view ending);
  /// Nor for any whose name begins so: "text_model.", a part that is not needed.
  void PassOverBelow(std::string_view beginning);

  /// A kModelError that names the tensor and what was expected of it: one that is missing or has another
  /// shape, or, where all were found, one that nobody took.
  Status Finish() const;

 protected:
  /// The tensor of just this shape; null where there is none, or something was wrong before.
  const WeightTensor* Take(const std::string& name, const std::vector<int64_t>& shape);
  /// The weights of a convolution: `name`.weight of out x (in / groups) x side x side.
  const WeightTensor* TakeConv(const std::string& name, int64_t out, int64_t in, const ConvShape& shape);
  /// The weights of a dense layer: `name`.weight of out x in.
  const WeightTensor* TakeMatrix(const std::string& name, int64_t out, int64_t in);
  /// The first one is kept.
  void Refuse(Error error);

 private:
  void RefuseEmpty(const std::string& name, int64_t out, int64_t in);

  const StateDict& weights_;
  std::set<std::string, std::less<>> taken_;
  Status status_;
};

/// The scale of a pixel shuffle to so many bands; 0 where no scale up to 8 has so many channels.
int ShuffleScale(int64_t channels, int64_t bands = 3);

/// How many of the names with growing numbers there are, from `first` on. One that is missing before another
/// is counted, so that it is named when its layer is made.
template <typename Name>
int CountOf(const StateDict& weights, int first, const Name& name) {
  const auto has = [&](int number) { return weights.Find(name(first + number)) != nullptr; };
  int count = 0;
  while (has(count) || (count > 0 && has(count + 1))) ++count;
  return count;
}

}  // namespace imgmill
