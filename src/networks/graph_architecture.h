// Networks that are a LayerGraph, whatever runs it.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/try.h"
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
/// @tparam GraphOf  the plan's layers, with their weights
template <typename Plan, bool (*Read)(const StateDict& weights, Plan& plan),
          Result<std::shared_ptr<const LayerGraph>> (*GraphOf)(const Plan& plan, const StateDict& weights)>
class PlannedGraph : public PlannedKind<GraphArchitecture, Plan, Read> {
 public:
  Result<GraphNetworkParts> Load(const StateDict& weights, ModelInfo info) const override {
    Plan plan;
    if (!Read(weights, plan))
      return WeightError(std::string("these are not the weights of ").append(this->name()));
    GraphNetworkParts parts;
    parts.info = std::move(info);
    TRY(Describe(weights, plan, parts));
    parts.graph = TRY(GraphOf(plan, weights));
    return parts;
  }

 protected:
  /// What is to be said of the network beside its graph, and what the plan takes from elsewhere. A
  /// kModelError tells which variant it is that cannot be built.
  virtual Status Describe(const StateDict& /*weights*/, Plan& /*plan*/, GraphNetworkParts& /*parts*/) const {
    return {};
  }
};

std::span<const GraphArchitecture* const> GraphArchitectures();

}  // namespace imgmill
