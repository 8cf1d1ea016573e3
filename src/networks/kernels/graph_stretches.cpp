#include "networks/kernels/graph_stretches.h"

#include <algorithm>
#include <limits>

#include "networks/kernels/graph_shape.h"

namespace imgmill {
namespace {

/// Sides of the images by which graphs are judged: any, since only the ratios of their maps' sizes count.
constexpr int kJudgedSide = 512;

/// The first stage that may begin the stretch of a stage. What is sampled is there whole, but not the places;
/// and so is a map that is enlarged: a row of one that was pooled before stands for so many that all maps
/// beside it would be kept for them.
int FirstWith(const GraphShape& shape, int stage) {
  if (!shape.IsLayer(stage)) return 0;
  const GraphLayer& layer = shape.LayerOf(stage);
  if (layer.ReadsWhole()) return stage;
  const bool enlarges = layer.kind == LayerKind::kSampled || layer.kind == LayerKind::kResized;
  return enlarges ? layer.from.front().index + 1 : 0;
}

/// What a stage reads that may show in those rows.
GraphShape::Reads SeenBy(const GraphShape& shape, int stage, RowRange rows) {
  const GraphShape::Reads reads = shape.ReadsOf(stage, rows);
  if (!shape.IsLayer(stage) || shape.LayerOf(stage).kind != LayerKind::kSampled) return reads;
  const int scale = shape.LayerOf(stage).stride;
  GraphShape::Reads seen;
  seen.Add(reads.begin()->map,
           {rows.first / scale - kSampleReach, (rows.end - 1) / scale + 1 + kSampleReach});
  seen.Add((reads.begin() + 1)->map, (reads.begin() + 1)->rows);
  return seen;
}

/// For each stage, the floats of the maps that are there whole if a stretch begins with it.
std::vector<size_t> KeptAcross(const GraphShape& shape) {
  const auto stages = static_cast<size_t>(shape.stages());
  const std::vector<int> last = shape.LastReads();
  std::vector<size_t> kept(stages, 0);
  for (int map = 0; map < shape.stages(); ++map) {
    for (int stage = map + 1; stage <= last[static_cast<size_t>(map)]; ++stage)
      kept[static_cast<size_t>(stage)] += shape.RowFloats(map) * static_cast<size_t>(shape.Height(map));
  }
  return kept;
}

}  // namespace

std::vector<GraphStretch> StretchesOf(const GraphPlan& plan) {
  const GraphShape shape(plan, kJudgedSide, kJudgedSide);
  const auto stages = static_cast<size_t>(shape.stages());
  const std::vector<size_t> kept = KeptAcross(shape);
  // The cheapest way to cut the stages before each: what it keeps in all, and where its last stretch begins.
  std::vector<size_t> cost(stages + 1, std::numeric_limits<size_t>::max()), begin(stages + 1, 0);
  cost[0] = 0;
  for (size_t end = 1; end <= stages; ++end) {
    size_t packed = 0;
    int least = 0;
    for (size_t first = end; first-- > 0;) {
      const int stage = static_cast<int>(first);
      least = std::max(least, FirstWith(shape, stage));
      if (stage < least) break;
      const bool alone = first + 1 == end;
      if (shape.IsLayer(stage)) packed += shape.LayerOf(stage).packed_floats();
      if (!alone && packed > plan.most_packed) break;
      const size_t with = cost[first] + kept[first];
      if (with <= cost[end]) {
        cost[end] = with;
        begin[end] = first;
      }
    }
  }
  std::vector<GraphStretch> stretches;
  for (size_t end = stages; end > 0; end = begin[end])
    stretches.push_back({static_cast<int>(begin[end]), static_cast<int>(end)});
  std::reverse(stretches.begin(), stretches.end());
  return stretches;
}

int RadiusOf(const GraphPlan& plan) {
  // Where strides are taken, neighbouring pixels see differently far: all places of a square are tried.
  constexpr int kSquare = 32, kMiddle = 4096;
  const GraphShape shape(plan, 2 * kMiddle * plan.input.unshuffle, 2 * kMiddle * plan.input.unshuffle);
  const int last = shape.stages() - 1, margin = plan.input.margin / plan.input.unshuffle;
  const int scale = (shape.Rows(last) + shape.Height(0) / 2) / shape.Height(0);  // margins are nothing here
  int radius = 0;
  for (int row = kMiddle; row < kMiddle + kSquare; ++row) {
    std::vector<RowRange> seen(static_cast<size_t>(shape.stages()));
    seen.back() = {row * scale, (row + 1) * scale};
    for (int stage = last; stage > 0; --stage) {
      const RowRange rows = seen[static_cast<size_t>(stage)];
      if (rows.count() == 0) continue;
      if (shape.IsLayer(stage)) {
        const GraphLayer& layer = shape.LayerOf(stage);
        if (layer.ReadsWhole() || layer.Stretches()) return -1;
      }
      for (const GraphShape::Read& read : SeenBy(shape, stage, rows))
        seen[static_cast<size_t>(read.map)].Cover(read.rows);
    }
    const int at = row + margin;
    radius = std::max({radius, at - seen.front().first, seen.front().end - 1 - at});
  }
  return radius * plan.input.unshuffle + plan.input.unshuffle - 1;
}

}  // namespace imgmill
