#include "torch/kernels/layer_graph_layout.h"

#include <algorithm>

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

}  // namespace

void RowRange::Cover(const RowRange& other) {
  if (first == end) *this = other;
  first = std::min(first, other.first);
  end = std::max(end, other.end);
}

LayerGraphLayout::LayerGraphLayout(const LayerGraph& on, int image_height, int image_width, int threads)
    : graph(on),
      height((image_height + on.input_.unshuffle - 1) / on.input_.unshuffle),
      width((image_width + on.input_.unshuffle - 1) / on.input_.unshuffle) {
  const int convs = static_cast<int>(graph.convs_.size());
  const int first_in_bands = static_cast<int>(std::min(graph.bands_from_, graph.convs_.size()));
  const bool banded = first_in_bands < convs;
  std::vector<RowRange> whole(graph.maps_.size());
  std::vector<int> most_rows(graph.maps_.size(), 0);
  for (int m = 0; m <= first_in_bands; ++m) {
    whole[static_cast<size_t>(m)] = {0, Height(m)};
    most_rows[static_cast<size_t>(m)] = Height(m);
    steps.push_back({m - 1, 0, whole[static_cast<size_t>(m)]});
  }
  const int last = graph.output_.index, scale = 1 << MapAt(last).doublings;
  const int band_rows = banded ? kBandRows : height;
  for (int top = 0; top < height; top += band_rows) {
    std::vector<RowRange>& rows = bands.emplace_back(whole);
    const RowRange shown = {top * scale, std::min(height, top + band_rows) * scale};
    if (banded) rows[static_cast<size_t>(last)] = Tiles(last, shown);
    for (int c = convs - 1; c >= first_in_bands; --c) Need(c, first_in_bands, rows);
    for (int c = first_in_bands; c < convs; ++c) {
      const auto map = static_cast<size_t>(c + 1);
      most_rows[map] = std::max(most_rows[map], rows[map].count());
      steps.push_back({c, bands.size() - 1, rows[map]});
    }
    steps.push_back({convs, bands.size() - 1, shown});
  }
  Place(most_rows, threads);
}

/// Those rows and what else is in their tiles.
RowRange LayerGraphLayout::Tiles(int map, RowRange rows) const {
  return {rows.first / 4 * 4, std::min(Height(map), (rows.end + 3) / 4 * 4)};
}

/// Adds what a convolution in bands reads of other maps that are made in bands.
void LayerGraphLayout::Need(int c, int first_in_bands, std::vector<RowRange>& rows) const {
  const LayerGraph::Conv& conv = graph.convs_[static_cast<size_t>(c)];
  const RowRange made = rows[static_cast<size_t>(c + 1)];
  const auto cover = [&](const FeatureMap& map, RowRange read) {
    if (map.index <= first_in_bands) return;
    if (map.doubled) read = {read.first >> 1, (read.end + 1) >> 1};
    read = {std::max(0, read.first), std::min(Height(map.index), read.end)};
    rows[static_cast<size_t>(map.index)].Cover(Tiles(map.index, read));
  };
  const int reach = conv.side / 2;
  for (const FeatureMap& map : conv.from) cover(map, {made.first - reach, made.end + reach});
  for (const GraphConv::Added& added : conv.added) cover(added.map, made);
}

/// For each map the last convolution that reads it. What is read in bands is kept through all of them.
std::vector<size_t> LayerGraphLayout::LastReads() const {
  const size_t convs = graph.convs_.size();
  std::vector<size_t> last(graph.maps_.size(), 0);
  const auto read = [&](const FeatureMap& map, size_t by) {
    const bool through = by >= graph.bands_from_ && static_cast<size_t>(map.index) <= graph.bands_from_;
    last[static_cast<size_t>(map.index)] = through ? convs : by;
  };
  for (size_t c = 0; c < convs; ++c) {
    for (const FeatureMap& map : graph.convs_[c].from) read(map, c);
    for (const GraphConv::Added& added : graph.convs_[c].added) read(added.map, c);
  }
  last[static_cast<size_t>(graph.output_.index)] = convs;
  return last;
}

void LayerGraphLayout::Place(const std::vector<int>& most_rows, int threads) {
  int widest = 0;
  size_t packed_floats = 0;
  for (const LayerGraph::Conv& conv : graph.convs_) {
    int gathered = 0;
    for (const FeatureMap& map : conv.from) gathered += PaddedChannels(map.channels);
    widest = std::max(widest, gathered);
    const size_t all = PackedWinogradFloats(conv.layer.out_channels, conv.layer.in_channels);
    packed_floats = std::max(packed_floats, conv.side == 3 ? all : all / 36);
  }
  const std::vector<size_t> last = LastReads();
  Arena arena;
  places.resize(graph.maps_.size());
  for (size_t m = 0; m < places.size(); ++m) {
    const size_t row = RowFloats(static_cast<int>(m));
    places[m] = arena.Take(Aligned(static_cast<size_t>(most_rows[m]) * row));
    zero_floats = std::max(zero_floats, row);
    if (m == 0) continue;
    // Convolution m - 1 is done.
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
  scratch_floats = Aligned(ConvScratchFloats(widest));
  scratch = behind(scratch_floats * static_cast<size_t>(threads));
}

}  // namespace imgmill
