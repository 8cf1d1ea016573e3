// Maps lie in working memory where their lifetimes allow it. A step is one convolution, or one for the rows
// of a band; the weights of the next one are packed in it, too, since packing needs no map.
#include "torch/kernels/layer_graph.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>

#include "torch/kernels/layer_graph_layout.h"

namespace imgmill {

/// One call of LayerGraph::Run.
class LayerGraphWork final : public TeamWork {
 public:
  LayerGraphWork(const LayerGraph& graph, const LayerGraphLayout& layout, const KernelImage& image,
                 uint8_t* work)
      : graph_(graph),
        layout_(layout),
        image_(image),
        work_(reinterpret_cast<float*>(work)),
        convs_(static_cast<int>(graph.convs_.size())) {
    std::memset(work_ + layout.zero_row, 0, layout.zero_floats * sizeof(float));
  }

  bool finite() const { return finite_; }

  // In each step, the weights of the step behind it are packed.
  int steps() const override { return static_cast<int>(layout_.steps.size()); }
  int tasks(int step) const override { return Packs(step) + Rows(step) * Blocks(step); }

  void Run(int step, int task, int worker) noexcept override {
    const int packs = Packs(step);
    if (task < packs) return Pack(step + 1, task);
    const LayerGraphLayout::Step& now = layout_.steps[static_cast<size_t>(step)];
    const int blocks = Blocks(step), row = now.rows.first + 4 * ((task - packs) / blocks);
    const int block = (task - packs) % blocks;
    if (now.conv < 0) return TakeIn(row);
    if (now.conv == convs_) return PutOut(now, row);
    Convolve(now, step, row, block, blocks, worker);
  }

 private:
  const LayerGraph::Conv& Conv(int c) const { return graph_.convs_[static_cast<size_t>(c)]; }
  bool IsConv(int c) const { return c >= 0 && c < convs_; }

  int Packs(int step) const {
    const auto next = static_cast<size_t>(step) + 1;
    if (next >= layout_.steps.size() || !IsConv(layout_.steps[next].conv)) return 0;
    return graph_.kernels_.blocks(Conv(layout_.steps[next].conv).layer.out_channels);
  }
  int Rows(int step) const {
    return LayerGraphLayout::TileCount(layout_.steps[static_cast<size_t>(step)].rows.count());
  }
  int Blocks(int step) const {
    const int conv = layout_.steps[static_cast<size_t>(step)].conv;
    if (!IsConv(conv)) return 1;
    const int tiles = LayerGraphLayout::TileCount(layout_.Width(conv + 1));
    return (tiles + kMostWinogradTiles - 1) / kMostWinogradTiles;
  }

  float* Packed(int step) const { return work_ + layout_.packed[step & 1]; }

  void Pack(int step, int block) const {
    const LayerGraph::Conv& conv = Conv(layout_.steps[static_cast<size_t>(step)].conv);
    ConvPacking packing;
    packing.weights = reinterpret_cast<const float*>(conv.weights.data());
    for (const FeatureMap& map : conv.from) packing.file_channels += map.channels;
    packing.from = conv.packed_from.data();
    packing.in_channels = conv.layer.in_channels;
    packing.out_channels = conv.layer.out_channels;
    (conv.side == 3 ? graph_.kernels_.pack : graph_.kernels_.pack_1x1)(packing, block, Packed(step));
  }

  /// Row y of a map as it is stored, from the pixel left of the image on.
  float* Row(int map, size_t band, int y) const {
    const int first = layout_.bands[band][static_cast<size_t>(map)].first;
    return work_ + layout_.places[static_cast<size_t>(map)] +
           static_cast<size_t>(y - first) * layout_.RowFloats(map);
  }
  const float* RowToRead(const FeatureMap& map, size_t band, int y) const {
    const int height = layout_.Height(map.index);
    const int at = map.doubled ? y >> 1 : y;
    if (y < 0 || at >= height) return work_ + layout_.zero_row;
    return Row(map.index, band, at) + map.first;
  }
  float* RowToWrite(int map, size_t band, int y) const { return Row(map, band, y) + layout_.Stride(map); }

  void Convolve(const LayerGraphLayout::Step& now, int step, int row, int block, int blocks,
                int worker) const {
    const LayerGraph::Conv& conv = Conv(now.conv);
    const int width = layout_.Width(now.conv + 1), tiles = LayerGraphLayout::TileCount(width);
    ConvRows rows;
    rows.width = width;
    rows.inputs = static_cast<int>(conv.from.size());
    for (size_t n = 0; n < conv.from.size(); ++n) {
      const FeatureMap& map = conv.from[n];
      ConvInput& in = rows.in[n];
      for (int i = 0; i < 6; ++i) in.rows[i] = RowToRead(map, now.band, row - 1 + i);
      in.stride = static_cast<int>(layout_.Stride(map.index));
      in.channels = PaddedChannels(map.channels);
      in.doubled = map.doubled;
    }
    const int last = std::min(row + 4, now.rows.end);
    rows.additions = static_cast<int>(conv.added.size());
    for (int y = row; y < last; ++y) {
      rows.out[y - row] = RowToWrite(now.conv + 1, now.band, y);
      for (size_t n = 0; n < conv.added.size(); ++n)
        rows.added[n].rows[y - row] = RowToWrite(conv.added[n].map.index, now.band, y);
    }
    for (size_t n = 0; n < conv.added.size(); ++n) rows.added[n].scale = conv.added[n].scale;
    ConvLayer layer = conv.layer;
    layer.weights = Packed(step);
    float* scratch = work_ + layout_.scratch + static_cast<size_t>(worker) * layout_.scratch_floats;
    // Blocks of nearly equal size: a last one of a single tile would read all weights for it.
    const int first = tiles * block / blocks, end = tiles * (block + 1) / blocks;
    (conv.side == 3 ? graph_.kernels_.run : graph_.kernels_.run_1x1)(layer, rows, first, end - first,
                                                                     scratch);
    for (int y = row; y < last; ++y)
      ClearMargins(now.conv + 1, Row(now.conv + 1, now.band, y), block, blocks);
  }

  /// The pixels left and right of the image, which convolutions read as zeros.
  void ClearMargins(int map, float* row, int block, int blocks) const {
    const size_t stride = layout_.Stride(map);
    if (block == 0) std::memset(row, 0, stride * sizeof(float));
    if (block + 1 < blocks) return;
    const size_t used = static_cast<size_t>(layout_.Width(map) + 1) * stride;
    std::memset(row + used, 0, (layout_.RowFloats(map) - used) * sizeof(float));
  }

  /// Four rows of the first map.
  void TakeIn(int row) const {
    const LayerGraph::Input& input = graph_.input_;
    const int u = input.unshuffle;
    const size_t stride = layout_.Stride(0);
    const size_t plane = static_cast<size_t>(image_.height) * static_cast<size_t>(image_.width);
    for (int y = row; y < std::min(row + 4, layout_.height); ++y) {
      ClearMargins(0, Row(0, 0, y), 0, 1);
      float* to = RowToWrite(0, 0, y);
      for (int x = 0; x < layout_.width; ++x, to += stride) {
        std::memset(to, 0, stride * sizeof(float));
        for (int c = 0; c < graph_.maps_[0].channels; ++c) {
          const int band = c / (u * u), inner = c % (u * u);
          const int from_y = Continued(y * u + inner / u, image_.height);
          const int from_x = Continued(x * u + inner % u, image_.width);
          const float value = image_.input[static_cast<size_t>(band) * plane +
                                           static_cast<size_t>(from_y) * static_cast<size_t>(image_.width) +
                                           static_cast<size_t>(from_x)];
          const float mean = input.mean.empty() ? 0.0f : input.mean[static_cast<size_t>(band)];
          to[c] = (value - mean) * input.range;
        }
      }
    }
  }
  /// As PaddedToMultiple continues an image: mirrored about its last pixel, or that one where it is too
  /// small.
  int Continued(int at, int size) const {
    if (at < size) return at;
    const int u = graph_.input_.unshuffle;
    const bool mirrors = layout_.height * u < 2 * image_.height && layout_.width * u < 2 * image_.width;
    return mirrors ? 2 * (size - 1) - at : size - 1;
  }

  /// Four rows of the last map, as pixels.
  void PutOut(const LayerGraphLayout::Step& now, int row) {
    constexpr float kMost = std::numeric_limits<float>::max();
    const int s = graph_.shuffle_;
    const int scale = s * (1 << graph_.maps_[static_cast<size_t>(graph_.output_.index)].doublings);
    const int unshuffle = graph_.input_.unshuffle;
    const int out_height = image_.height * scale / unshuffle, out_width = image_.width * scale / unshuffle;
    const size_t stride = layout_.Stride(graph_.output_.index);
    bool finite = true;
    for (int y = row; y < std::min(row + 4, now.rows.end); ++y) {
      const float* values = RowToWrite(graph_.output_.index, now.band, y) + graph_.output_.first;
      for (int i = 0; i < s && y * s + i < out_height; ++i) {
        for (int band = 0; band < graph_.input_.bands; ++band) {
          float* to = image_.output + (static_cast<size_t>(band) * static_cast<size_t>(out_height) +
                                       static_cast<size_t>(y * s + i)) *
                                          static_cast<size_t>(out_width);
          const float* from = values + (band * s + i) * s;
          for (int x = 0; x < out_width; from += stride) {
            const int end = std::min(x + s, out_width);
            for (const float* value = from; x < end; ++x, ++value) {
              finite &= std::abs(*value) <= kMost;
              to[x] = std::min(std::max(*value, 0.0f), 1.0f);
            }
          }
        }
      }
    }
    if (!finite) finite_ = false;
  }

  const LayerGraph& graph_;
  const LayerGraphLayout& layout_;
  const KernelImage image_;
  float* work_;
  const int convs_;
  std::atomic<bool> finite_ = true;
};

LayerGraph::LayerGraph(const ConvKernels& kernels, Input input)
    : kernels_(kernels), input_(std::move(input)) {
  maps_.push_back({input_.bands * input_.unshuffle * input_.unshuffle, 0});
}

FeatureMap LayerGraph::Add(const GraphConv& conv) {
  Conv made;
  made.from = conv.from;
  made.added = conv.added;
  made.side = conv.side;
  int in_file = 0;
  for (size_t n = 0; n < conv.from.size(); ++n) {
    const FeatureMap& map = conv.from[n];
    for (int c = 0; c < map.channels; ++c) made.packed_from.push_back(in_file++);
    if (n + 1 < conv.from.size())
      made.packed_from.resize(
          made.packed_from.size() + static_cast<size_t>(PaddedChannels(map.channels) - map.channels), -1);
  }
  const size_t values = static_cast<size_t>(conv.out_channels * in_file * conv.side * conv.side);
  made.weights = Buffer(values * sizeof(float));
  std::memcpy(made.weights.data(), conv.weights, values * sizeof(float));
  const int padded = PaddedChannels(conv.out_channels);
  made.ends = Buffer(static_cast<size_t>(2 * padded) * sizeof(float));
  float *bias = reinterpret_cast<float*>(made.ends.data()), *slope = bias + padded;
  for (int k = 0; k < padded; ++k) {
    const bool real = k < conv.out_channels;
    bias[k] = real && conv.bias != nullptr ? conv.bias[k] : 0.0f;
    slope[k] = real && conv.slope != nullptr ? conv.slope[k] : conv.common_slope;
  }
  made.layer.in_channels = static_cast<int>(made.packed_from.size());
  made.layer.out_channels = conv.out_channels;
  made.layer.bias = bias;
  made.layer.slope = slope;
  made.layer.end = conv.end;
  made.layer.gain = conv.gain;
  const FeatureMap& first = conv.from.front();
  maps_.push_back(
      {conv.out_channels, maps_[static_cast<size_t>(first.index)].doublings + (first.doubled ? 1 : 0)});
  const FeatureMap given = {static_cast<int>(convs_.size()) + 1, 0, conv.out_channels, false};
  convs_.push_back(std::move(made));
  return given;
}

void LayerGraph::Finish(FeatureMap output, int shuffle) {
  output_ = output;
  shuffle_ = shuffle;
}

size_t LayerGraph::weight_bytes() const noexcept {
  size_t bytes = 0;
  for (const Conv& conv : convs_) bytes += conv.weights.size() + conv.ends.size();
  return bytes;
}

size_t LayerGraph::WorkBytes(int height, int width, int threads) const {
  return LayerGraphLayout(*this, height, width, threads).floats * sizeof(float);
}

bool LayerGraph::Run(const KernelImage& image, uint8_t* work, WorkerTeam& team) const {
  const LayerGraphLayout layout(*this, image.height, image.width, team.threads());
  LayerGraphWork run(*this, layout, image, work);
  team.Do(run);
  return run.finite();
}

}  // namespace imgmill
