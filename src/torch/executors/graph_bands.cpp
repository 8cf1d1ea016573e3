#include "torch/executors/graph_bands.h"

#include <algorithm>

namespace imgmill {
namespace {

/// Rows of the image that a band is of.
constexpr int kBandRows = 32;

/// Whether a stage needs a whole map that is larger than the image.
bool NeedsLarge(const GraphShape& shape, const GraphLayer& layer) {
  return layer.ReadsWhole() || layer.Stretches() ||
         (layer.kind == LayerKind::kSampled && shape.Height(layer.from.front().index) > shape.Height(0));
}

/// The first stage from which on maps are larger than the image, and none needs another whole.
int FirstStage(const GraphShape& shape) {
  const int last = shape.stages() - 1;
  int first = last;
  for (int stage = last - 1; stage > 0; --stage) {
    if (NeedsLarge(shape, shape.LayerOf(stage)) || shape.Height(stage) <= shape.Height(0)) break;
    first = stage;
  }
  return first;
}

}  // namespace

GraphBands::GraphBands(const GraphPlan& plan, const GraphShape& shape)
    : shape_(shape), first_stage_(FirstStage(shape)), rows_(shape.Rows(shape.stages() - 1)) {
  const int all = rows_, pixels = kBandRows * plan.scale;
  if (first_stage_ + 1 >= shape.stages() || pixels % plan.output.shuffle != 0) {
    first_stage_ = shape.stages() - 1;
    return;
  }
  rows_ = pixels / plan.output.shuffle;
  count_ = (all + rows_ - 1) / rows_;
}

RowRange GraphBands::Out(int band) const {
  return {band * rows_, std::min((band + 1) * rows_, shape_.Rows(shape_.stages() - 1))};
}

std::vector<RowRange> GraphBands::Rows(int band) const {
  const int last = shape_.stages() - 1;
  std::vector<RowRange> rows(static_cast<size_t>(last));
  const auto want = [&](const GraphShape::Read& read) {
    if (read.map >= first_stage_)
      rows[static_cast<size_t>(read.map)].Cover(Within(read.rows, shape_.Height(read.map)));
  };
  for (const GraphShape::Read& read : shape_.ReadsOf(last, Out(band))) want(read);
  for (int stage = last - 1; stage >= first_stage_; --stage) {
    const RowRange made = rows[static_cast<size_t>(stage)];
    if (made.count() == 0) continue;
    for (const GraphShape::Read& read : shape_.ReadsOf(stage, made)) want(read);
  }
  return rows;
}

}  // namespace imgmill
