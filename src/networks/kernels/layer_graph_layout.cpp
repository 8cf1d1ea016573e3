#include "networks/kernels/layer_graph_layout.h"

#include <algorithm>

#include "networks/kernels/map_sampling.h"
#include "networks/kernels/stretch_turns.h"
#include "networks/kernels/tile_rows.h"

namespace imgmill {
namespace {

/// Of the rows of one map that are made in one step, in floats: few enough to be in the cache still when the
/// next layer reads them.
constexpr size_t kStepFloats = size_t{1} << 18;
/// Of each layer in a step, for each thread: where there are more, none waits for rows that another still
/// makes.
constexpr int kTasksAThread = 2;

/// Room in one piece of memory: the first gap that is large enough.
class Arena {
 public:
  /// For as long as the stretches `first` to `last` run. To be asked in the order of `first`.
  size_t Take(size_t count, int first, int last) {
    std::erase_if(taken_, [first](const Taken& each) { return each.last < first; });
    size_t at = 0;
    auto before = taken_.begin();
    for (; before != taken_.end() && at + count > before->at; ++before) at = before->at + before->count;
    taken_.insert(before, {at, count, last});
    peak_ = std::max(peak_, at + count);
    return at;
  }
  size_t peak() const { return peak_; }

 private:
  struct Taken {
    size_t at = 0, count = 0;
    int last = 0;
  };
  std::vector<Taken> taken_;  ///< by place
  size_t peak_ = 0;
};

}  // namespace

LayerGraphLayout::LayerGraphLayout(const GraphPlan& plan, const std::vector<GraphStretch>& stretches,
                                   int image_height, int image_width, int threads)
    : size_{image_height, image_width},
      threads_(threads),
      shape_(plan, image_height, image_width),
      last_reads_(shape_.LastReads()),
      places_(static_cast<size_t>(shape_.stages()) - 1),
      first_step_(static_cast<size_t>(shape_.stages()), 0),
      packed_(static_cast<size_t>(shape_.stages()), 0) {
  steps_.emplace_back();  // for the weights of the layers that begin at once
  for (const GraphStretch& stretch : stretches) Schedule(stretch, threads);
  PlanPacking();
  Place(stretches);
  PlaceScratch(threads);
}

/// In how many steps a stretch's last maps are made.
int LayerGraphLayout::StepsOf(const GraphStretch& stretch, int threads) const {
  if (stretch.end - stretch.first == 1) return 1;
  int widest = stretch.first;
  for (int map = stretch.first; map < std::min(stretch.end, shape_.stages() - 1); ++map) {
    if (shape_.RowFloats(map) > shape_.RowFloats(widest)) widest = map;
  }
  const int for_cache = static_cast<int>(kStepFloats / (4 * shape_.RowFloats(widest)));
  const int for_threads = 1 + kTasksAThread * threads / shape_.Blocks(widest);
  const int rows = 4 * std::max(for_cache, for_threads);
  return std::max(1, (shape_.Rows(widest) + rows - 1) / rows);
}

void LayerGraphLayout::Schedule(const GraphStretch& stretch, int threads) {
  const StretchTurns turns(shape_, stretch, last_reads_, StepsOf(stretch, threads));
  begins_.push_back(steps_.size());
  for (int step = 0; step < turns.steps(); ++step) {
    Step& parts = steps_.emplace_back();
    for (int stage = stretch.first; stage < stretch.end; ++stage) {
      const RowRange rows = turns.Rows(stage, step);
      if (rows.count() == 0) continue;
      parts.push_back({stage, rows});
      if (rows.first == 0) first_step_[static_cast<size_t>(stage)] = steps_.size() - 1;
    }
  }
  for (int map = stretch.first; map < std::min(stretch.end, shape_.stages() - 1); ++map)
    places_[static_cast<size_t>(map)].rows = turns.Kept(map);
}

/// A layer's weights are packed in the step before its first.
void LayerGraphLayout::PlanPacking() {
  for (int stage = 1; shape_.IsLayer(stage); ++stage) {
    if (shape_.LayerOf(stage).packs())
      steps_[first_step_[static_cast<size_t>(stage)] - 1].push_back({stage, {}});
  }
}

/// Maps and packed weights, where their lifetimes allow it.
void LayerGraphLayout::Place(const std::vector<GraphStretch>& stretches) {
  std::vector<int> stretch_of;
  for (size_t s = 0; s < stretches.size(); ++s)
    stretch_of.resize(static_cast<size_t>(stretches[s].end), static_cast<int>(s));
  Arena arena;
  // The weights of the layers of a stretch that begin with it are packed before it, or of those that do not.
  const auto pack = [&](size_t stretch, bool begin, size_t from) {
    for (int stage = stretches[stretch].first; stage < stretches[stretch].end; ++stage) {
      const auto index = static_cast<size_t>(stage);
      if (!shape_.IsLayer(stage) || !shape_.LayerOf(stage).packs()) continue;
      if ((first_step_[index] == begins_[stretch]) != begin) continue;
      packed_[index] = arena.Take(Aligned(shape_.LayerOf(stage).packed_floats()), static_cast<int>(from),
                                  static_cast<int>(stretch));
    }
  };
  pack(0, true, 0);
  for (size_t s = 0; s < stretches.size(); ++s) {
    pack(s, false, s);
    for (int map = stretches[s].first; map < std::min(stretches[s].end, shape_.stages() - 1); ++map) {
      MapPlace& place = places_[static_cast<size_t>(map)];
      const int now = static_cast<int>(s),
                last = stretch_of[static_cast<size_t>(last_reads_[static_cast<size_t>(map)])];
      place.at = arena.Take(Aligned(static_cast<size_t>(place.rows) * shape_.RowFloats(map)), now,
                            std::max(now, last));
      zero_floats_ = std::max(zero_floats_, shape_.RowFloats(map));
    }
    if (s + 1 < stretches.size()) pack(s + 1, true, s);
  }
  floats_ = Aligned(arena.peak());
}

void LayerGraphLayout::PlaceScratch(int threads) {
  int widest = 0;
  for (int stage = 1; shape_.IsLayer(stage); ++stage) {
    const GraphLayer& layer = shape_.LayerOf(stage);
    if (!layer.packs()) continue;
    int gathered = 0;
    for (const FeatureMap& map : layer.from) gathered += PaddedChannels(map.channels);
    widest = std::max(widest, gathered);
    if (layer.OverWindow())
      scratch_floats_ = std::max(scratch_floats_, WindowScratchFloats(layer.conv, layer.side));
    if (layer.kind == LayerKind::kDoubled)
      scratch_floats_ = std::max(scratch_floats_, DoubledScratchFloats(layer.conv));
  }
  scratch_floats_ = Aligned(std::max(scratch_floats_, ConvScratchFloats(widest)));
  first_counter_.push_back(0);
  for (int map = 0; map + 1 < shape_.stages(); ++map)
    first_counter_.push_back(first_counter_.back() + static_cast<size_t>(TileCount(shape_.Height(map))));
  static_assert(sizeof(int) == sizeof(float));
  counters_ = Behind(counter_count());
  zero_row_ = Behind(zero_floats_);
  scratch_ = Behind(scratch_floats_ * static_cast<size_t>(threads));
}

size_t LayerGraphLayout::Behind(size_t count) {
  const size_t at = floats_;
  floats_ += Aligned(count);
  return at;
}

}  // namespace imgmill
