#include <algorithm>
#include <functional>
#include <vector>

#include "torch/executors/graph_bands.h"
#include "torch/executors/graph_net.h"

namespace imgmill {
namespace {

/// Floats that a layer holds beside what it reads and gives: maps put one behind another or enlarged, a
/// convolution's input and output in the library's own order, and what becomes of its values.
int64_t BesideOf(const GraphLayer& layer, int64_t in, int64_t out) {
  int64_t floats = 0;
  // What is read in groups; places in three orders.
  if (layer.kind == LayerKind::kSampled) return 3 * in + out;
  if (layer.from.size() > 1 && layer.kind == LayerKind::kConv) floats += in;
  if (layer.from.front().doubled) floats += in;
  if (layer.transforms() || layer.OverWindow() || layer.kind == LayerKind::kDepthwise) floats += in + out;
  if (layer.conv.end == ConvEnd::kGate) floats += 2 * out;
  if (layer.kind == LayerKind::kGroupNorm) return 2 * in;     // with channels first, and normal
  if (layer.kind == LayerKind::kPooled) return in + 3 * out;  // with channels first, and places of 64 bits
  if (layer.kind == LayerKind::kShuffled || layer.partial) floats += in;
  const bool apart = layer.kind == LayerKind::kShuffled || layer.kind == LayerKind::kDoubled;
  const bool copied = layer.conv.end == ConvEnd::kGelu || layer.conv.end == ConvEnd::kSumGelu ||
                      layer.conv.end == ConvEnd::kWeighGelu;
  return floats + (apart || copied || layer.conv.slope != nullptr ? out : 0);
}

/// Adds up what the maps of a range of stages hold, each from when it is made to when it was read for the
/// last time.
class HeldMaps {
 public:
  HeldMaps(const GraphPlan& plan, const GraphShape& shape)
      : plan_(plan), shape_(shape), last_reads_(shape.LastReads()), floats_(last_reads_.size(), 0) {
    Hold(0, shape.Height(0));
  }
  /// @return floats at the peak
  int64_t Run(int first, int end, const std::function<int64_t(int stage)>& rows) {
    int64_t most = 0;
    const int least = first == 1 ? 0 : first;  // of maps that are given up
    for (int stage = first; stage < end; ++stage) {
      const int64_t made = rows(stage);
      if (made == 0) continue;
      Hold(stage, made);
      const GraphLayer& layer = shape_.LayerOf(stage);
      int64_t in = 0;
      for (const FeatureMap& map : layer.from)
        in +=
            Floats(map.index, std::min<int64_t>(shape_.Height(map.index), made + layer.side), map.channels) *
            (map.doubled ? 4 : 1);
      most = std::max(most, held_ + BesideOf(layer, in, floats_[static_cast<size_t>(stage)]));
      for (const GraphShape::Read& read : shape_.ReadsOf(stage, {0, 1})) {
        if (read.map >= least && last_reads_[static_cast<size_t>(read.map)] == stage) Hold(read.map, 0);
      }
    }
    return most;
  }

 private:
  int64_t Floats(int map, int64_t rows, int64_t channels) const {
    return rows * shape_.Width(map) * channels;
  }
  void Hold(int map, int64_t rows) {
    const auto index = static_cast<size_t>(map);
    held_ -= floats_[index];
    floats_[index] = Floats(map, rows, plan_.channels[index]);
    held_ += floats_[index];
  }

  const GraphPlan& plan_;
  const GraphShape& shape_;
  const std::vector<int> last_reads_;
  std::vector<int64_t> floats_;
  int64_t held_ = 0;
};

}  // namespace

size_t GraphNetBytes(const LayerGraph& graph, int height, int width) {
  const GraphPlan& plan = graph.plan();
  const GraphShape shape(plan, height, width);
  const GraphBands bands(plan, shape);
  HeldMaps held(plan, shape);
  const int64_t first = int64_t{shape.Height(0)} * shape.Width(0) * plan.channels[0];
  const int64_t whole = held.Run(1, bands.first_stage(), [&](int stage) { return shape.Height(stage); });
  const std::vector<RowRange> rows = bands.Rows(bands.count() / 2);
  const int64_t banded = held.Run(bands.first_stage(), shape.stages() - 1,
                                  [&](int stage) { return rows[static_cast<size_t>(stage)].count(); });
  // At the end the pixels of a band, or of all, as they are put in place and with the image added.
  const int64_t out = plan.input.bands * int64_t{plan.scale} * plan.scale * height * width;
  const int64_t ends = bands.count() > 1 ? 3 * out / bands.count() + out : 2 * out;
  return static_cast<size_t>(2 * first + std::max(whole, banded) + ends) * sizeof(float);
}

}  // namespace imgmill
