// The rows that each kind of layer gives, by the kernels.
#pragma once

#include "networks/kernels/graph_maps.h"
#include "networks/kernels/tile_rows.h"

namespace imgmill {

class LayerRows {
 public:
  /// All must outlive it.
  LayerRows(const ConvKernels& kernels, const GraphMaps& maps)
      : kernels_(kernels), maps_(maps), shape_(maps.shape()) {}

  /// One block of a stage's weights, as the kernels want them.
  void Pack(int stage, int block) const;
  /// Up to four rows of what a layer gives, or of them what is the `block`th of so many blocks.
  void Make(int stage, RowRange rows, int block, int blocks, int worker) const;

 private:
  ConvLayer Packed(int stage) const;
  void Convolve(int stage, RowRange made, int block, int blocks, int worker) const;
  void Double(int stage, int y, int worker) const;
  void Widely(int stage, int y, const TileSpan& tiles, int worker) const;
  void MakeRow(int stage, int y, int worker) const;
  void Scale(int stage, int y, float* to) const;
  void Multiply(int stage, int y, float* to) const;
  void Shuffle(int stage, int y, float* to) const;
  void Pool(int stage, int y, float* to) const;
  void Resize(int stage, int y, float* to) const;
  void ConvolveApart(const GraphLayer& layer, int y, float* to) const;
  void Normalize(int stage, int group) const;
  void AddRows(const GraphLayer& layer, int y, size_t floats, float* to) const;
  WindowRows Windowed(const GraphLayer& layer, int y) const;
  WindowRows Around(const GraphLayer& layer, int y) const;
  LearnedPlaces Learned(const GraphLayer& layer, int y) const;

  const ConvKernels& kernels_;
  const GraphMaps& maps_;
  const GraphShape& shape_;
};

}  // namespace imgmill
