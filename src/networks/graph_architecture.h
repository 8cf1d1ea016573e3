// Networks that are a LayerGraph, whatever runs it.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "networks/kernels/layer_graph.h"
#include "networks/network_kind.h"
#include "networks/weights/weight_file.h"

namespace imgmill {

/// What an architecture says of a network.
struct GraphNetworkParts {
  /// Scale, bands and receptive radius follow from the graph.
  ModelInfo info;
  std::shared_ptr<const LayerGraph> graph;
  /// Side of the square tiles; 0 is the usual one.
  int tile = 0;
  int libtorch_tile = 0;  ///< the same where LibTorch does the work; 0: no other
  /// What tiles overlap by on each side where less than the receptive radius is enough; 0 is all of it. A
  /// global network must say one.
  int overlap = 0;
};

/// One architecture. To add one: write a file like architectures/edsr.cpp, and its line in
/// graph_architectures.cpp.
class GraphArchitecture : public NetworkKind {
 public:
  /// @param info  what the loader knows: digest, threads, the wanted scale. A kModelError tells which variant
  /// it is that cannot be built.
  /// @throws OutOfMemory
  virtual Result<GraphNetworkParts> Load(const StateDict& weights, ModelInfo info) const = 0;
};

/// One whose Plan follows from names and shapes: see PlannedKind.
template <typename Plan, bool (*Read)(const StateDict& weights, Plan& plan)>
class PlannedGraph : public PlannedKind<GraphArchitecture, Plan, Read> {
 public:
  Result<GraphNetworkParts> Load(const StateDict& weights, ModelInfo info) const override {
    Plan plan;
    if (!Read(weights, plan))
      return WeightError(std::string("these are not the weights of ").append(this->name()));
    return Build(std::move(plan), weights, std::move(info));
  }

 protected:
  /// Load, with what was read.
  virtual Result<GraphNetworkParts> Build(Plan plan, const StateDict& weights, ModelInfo info) const = 0;
};

std::span<const GraphArchitecture* const> GraphArchitectures();

}  // namespace imgmill
