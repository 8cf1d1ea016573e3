// What RRDBNet, and what grew from it, is made of: residual-in-residual dense blocks at the input's size,
// nearest-neighbour upsampling by two with a convolution after each, two more convolutions.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "networks/graph_builder.h"

namespace imgmill {

/// What the layers are called.
struct RrdbNames {
  std::string first, trunk, hr, last;
  std::string block;       ///< before a block's number
  std::string dense;       ///< between it and the dense block's number, 1 to 3
  std::string after_conv;  ///< behind "convK"
  std::array<std::string, 3> up;

  std::string Dense(int number, int dense_number) const {
    return block + std::to_string(number) + dense + std::to_string(dense_number) + ".conv";
  }
};

/// The shape of the network, read off its tensors.
struct RrdbPlan {
  RrdbNames names;
  int64_t blocks = 0;
  int64_t features = 0;
  int64_t growth = 0;
  int64_t bands = 3;      ///< 3, or 1 for grey
  int64_t unshuffle = 1;  ///< side of the squares that become channels
  int64_t ups = 0;
};

/// Whether it finds how strong blur and noise are, by which features are changed: an MMRealSR.
bool FindsDamage(const StateDict& weights);
/// False where the tensors are no such network's.
bool ReadRrdb(const StateDict& weights, RrdbPlan& plan);

/// An activation of all layers but those at a block's end.
GraphEnd RrdbLeaky();
/// The block of that number.
FeatureMap AddRrdb(GraphBuilder& graph, const RrdbPlan& plan, int64_t number, const FeatureMap& from);
/// All behind the blocks, whose trunk is added to `first`.
GraphOutput AddRrdbEnd(GraphBuilder& graph, const RrdbPlan& plan, const FeatureMap& from,
                       const FeatureMap& first);

}  // namespace imgmill
