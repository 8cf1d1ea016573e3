#include "torch/kernels/layer_graph_layout.h"

#include <algorithm>

#include "torch/kernels/map_sampling.h"

namespace imgmill {
namespace {

/// Rows of the first map that make a band of the layers that are made in bands.
constexpr int kBandRows = 16;

constexpr size_t Aligned(size_t count) {
  return (count + 15) / 16 * 16;
}

/// Room for maps in one piece of memory: the first gap that is large enough.
class Arena {
 public:
  size_t Take(size_t count) {
    count = std::max<size_t>(1, count);  // a place is told by where it begins
    size_t at = 0;
    auto before = taken_.begin();
    for (; before != taken_.end() && at + count > before->first; ++before)
      at = before->first + before->second;
    taken_.insert(before, {at, count});
    peak_ = std::max(peak_, at + count);
    return at;
  }
  void Give(size_t at) {
    std::erase_if(taken_, [at](const auto& each) { return each.first == at; });
  }
  size_t peak() const { return peak_; }

 private:
  std::vector<std::pair<size_t, size_t>> taken_;  ///< by place
  size_t peak_ = 0;
};

/// Pixels of the first map.
int FirstSide(int image_side, const LayerGraph::Input& input) {
  const int multiple = std::max(input.unshuffle, input.multiple);
  return (std::max(image_side, input.least) + multiple - 1) / multiple * multiple / input.unshuffle;
}

}  // namespace

void RowRange::Cover(const RowRange& other) {
  if (first == end) *this = other;
  first = std::min(first, other.first);
  end = std::max(end, other.end);
}

LayerGraphLayout::LayerGraphLayout(const LayerGraph& on, int image_height, int image_width, int threads)
    : graph(on),
      height(FirstSide(image_height, on.input_)),
      width(FirstSide(image_width, on.input_)),
      sizes(1, {height, width}) {
  for (const LayerGraph::Layer& layer : graph.layers_) sizes.push_back(SizeOf(layer));
  const int layers = static_cast<int>(graph.layers_.size());
  const int first_in_bands = static_cast<int>(std::min(graph.bands_from_, graph.layers_.size()));
  const bool banded = first_in_bands < layers;
  std::vector<RowRange> whole(graph.maps_.size());
  std::vector<int> most_rows(graph.maps_.size(), 0);
  for (int m = 0; m <= first_in_bands; ++m) {
    whole[static_cast<size_t>(m)] = {0, Height(m)};
    most_rows[static_cast<size_t>(m)] = Height(m);
    steps.push_back({m - 1, 0, whole[static_cast<size_t>(m)]});
  }
  const int last = graph.output_.index, scale = Height(last) / height;
  const int band_rows = banded ? kBandRows : height;
  for (int top = 0; top < height; top += band_rows) {
    std::vector<RowRange>& rows = bands.emplace_back(whole);
    const RowRange shown = {top * scale, std::min(height, top + band_rows) * scale};
    if (banded) rows[static_cast<size_t>(last)] = Tiles(last, shown);
    for (int l = layers - 1; l >= first_in_bands; --l) Need(l, first_in_bands, rows);
    for (int l = first_in_bands; l < layers; ++l) {
      const auto map = static_cast<size_t>(l + 1);
      most_rows[map] = std::max(most_rows[map], rows[map].count());
      steps.push_back({l, bands.size() - 1, rows[map]});
    }
    steps.push_back({layers, bands.size() - 1, shown});
  }
  Place(most_rows, threads);
}

LayerGraphLayout::Size LayerGraphLayout::SizeOf(const LayerGraph::Layer& layer) const {
  using Kind = LayerGraph::Kind;
  const FeatureMap& first = layer.from.front();
  const Size from = sizes[static_cast<size_t>(first.index)];
  switch (layer.kind) {
    case Kind::kConv:
      return first.doubled ? Size{2 * from.height, 2 * from.width} : from;
    case Kind::kDoubled:
      return {2 * from.height, 2 * from.width};
    case Kind::kDepthwise:
    case Kind::kFunction:
    case Kind::kScaled:
      return from;
    case Kind::kMean:
      return {1, 1};
    case Kind::kResized:
      return sizes[static_cast<size_t>(layer.like)];
    case Kind::kStrided:
    case Kind::kMaxPool:
      break;
  }
  return {Windows(from.height, layer.side, layer.stride), Windows(from.width, layer.side, layer.stride)};
}

/// Those rows and what else is in their tiles.
RowRange LayerGraphLayout::Tiles(int map, RowRange rows) const {
  return {rows.first / 4 * 4, std::min(Height(map), (rows.end + 3) / 4 * 4)};
}

/// Adds what a layer in bands reads of other maps that are made in bands.
void LayerGraphLayout::Need(int l, int first_in_bands, std::vector<RowRange>& rows) const {
  const LayerGraph::Layer& layer = graph.layers_[static_cast<size_t>(l)];
  const RowRange made = rows[static_cast<size_t>(l + 1)];
  const auto cover = [&](const FeatureMap& map, RowRange read) {
    if (map.index <= first_in_bands) return;
    if (map.doubled || layer.kind == LayerGraph::Kind::kDoubled)
      read = {read.first >> 1, (read.end + 1) >> 1};
    read = {std::max(0, read.first), std::min(Height(map.index), read.end)};
    rows[static_cast<size_t>(map.index)].Cover(Tiles(map.index, read));
  };
  const int reach = layer.side / 2;  // none of one that doubles: its side is 1
  for (const FeatureMap& map : layer.from) cover(map, {made.first - reach, made.end + reach});
  for (const GraphConv::Added& added : layer.added) cover(added.map, made);
}

/// For each map the last layer that reads it. What is read in bands is kept through all of them.
std::vector<size_t> LayerGraphLayout::LastReads() const {
  const size_t layers = graph.layers_.size();
  std::vector<size_t> last(graph.maps_.size(), 0);
  const auto read = [&](const FeatureMap& map, size_t by) {
    const bool through = by >= graph.bands_from_ && static_cast<size_t>(map.index) <= graph.bands_from_;
    last[static_cast<size_t>(map.index)] = through ? layers : by;
  };
  for (size_t l = 0; l < layers; ++l) {
    for (const FeatureMap& map : graph.layers_[l].from) read(map, l);
    for (const GraphConv::Added& added : graph.layers_[l].added) read(added.map, l);
  }
  last[static_cast<size_t>(graph.output_.index)] = layers;
  return last;
}

void LayerGraphLayout::Place(const std::vector<int>& most_rows, int threads) {
  int widest = 0;
  size_t packed_floats = 0;
  for (const LayerGraph::Layer& layer : graph.layers_) {
    if (!layer.packs()) continue;
    int gathered = 0;
    for (const FeatureMap& map : layer.from) gathered += PaddedChannels(map.channels);
    widest = std::max(widest, gathered);
    const size_t all = PackedWinogradFloats(layer.conv.out_channels, layer.conv.in_channels);
    packed_floats = std::max(packed_floats, layer.transforms() ? all : all / 36);
    if (layer.kind == LayerGraph::Kind::kStrided)
      scratch_floats = std::max(scratch_floats, StridedScratchFloats(layer.conv));
    if (layer.kind == LayerGraph::Kind::kDoubled)
      scratch_floats = std::max(scratch_floats, DoubledScratchFloats(layer.conv));
  }
  const std::vector<size_t> last = LastReads();
  Arena arena;
  places.resize(graph.maps_.size());
  for (size_t m = 0; m < places.size(); ++m) {
    const size_t row = RowFloats(static_cast<int>(m));
    places[m] = arena.Take(Aligned(static_cast<size_t>(most_rows[m]) * row));
    zero_floats = std::max(zero_floats, row);
    if (m == 0) continue;
    // Layer m - 1 is done.
    for (size_t before = 0; before <= m; ++before) {
      if (last[before] == m - 1) arena.Give(places[before]);
    }
  }
  floats = Aligned(arena.peak());
  const auto behind = [&](size_t count) {
    const size_t at = floats;
    floats += Aligned(count);
    return at;
  };
  zero_row = behind(zero_floats);
  for (size_t& each : packed) each = behind(packed_floats);
  scratch_floats = Aligned(std::max(scratch_floats, ConvScratchFloats(widest)));
  scratch = behind(scratch_floats * static_cast<size_t>(threads));
}

}  // namespace imgmill
