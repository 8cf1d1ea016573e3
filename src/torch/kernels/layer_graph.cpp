// Maps lie in working memory where their lifetimes allow it. A step is one layer, or one for the rows of a
// band; the weights of the next one are packed in it, too, since packing needs no map.
#include "torch/kernels/layer_graph.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>

#include "torch/kernels/layer_graph_layout.h"
#include "torch/kernels/map_sampling.h"

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
        layers_(static_cast<int>(graph.layers_.size())) {
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
    if (now.layer < 0) return TakeIn(row);
    if (now.layer == layers_) return PutOut(now, row);
    if (Layer(now.layer).kind == LayerGraph::Kind::kConv) {
      Convolve(now, step, row, block, blocks, worker);
    } else {
      Sample(now, step, row, worker);
    }
  }

 private:
  const LayerGraph::Layer& Layer(int l) const { return graph_.layers_[static_cast<size_t>(l)]; }
  bool IsLayer(int l) const { return l >= 0 && l < layers_; }

  int Packs(int step) const {
    const auto next = static_cast<size_t>(step) + 1;
    if (next >= layout_.steps.size() || !IsLayer(layout_.steps[next].layer)) return 0;
    const LayerGraph::Layer& layer = Layer(layout_.steps[next].layer);
    return layer.packs() ? graph_.kernels_.blocks(layer.conv.out_channels) : 0;
  }
  int Rows(int step) const {
    return LayerGraphLayout::TileCount(layout_.steps[static_cast<size_t>(step)].rows.count());
  }
  int Blocks(int step) const {
    const int layer = layout_.steps[static_cast<size_t>(step)].layer;
    if (!IsLayer(layer) || Layer(layer).kind != LayerGraph::Kind::kConv) return 1;
    const int tiles = LayerGraphLayout::TileCount(layout_.Width(layer + 1));
    return (tiles + kMostWinogradTiles - 1) / kMostWinogradTiles;
  }

  float* Packed(int step) const { return work_ + layout_.packed[step & 1]; }

  void Pack(int step, int block) const {
    const LayerGraph::Layer& layer = Layer(layout_.steps[static_cast<size_t>(step)].layer);
    ConvPacking packing;
    packing.weights = reinterpret_cast<const float*>(layer.weights.data());
    packing.file_channels = layer.file_channels;
    packing.from = layer.packed_from.data();
    packing.in_channels = layer.conv.in_channels;
    packing.out_channels = layer.conv.out_channels;
    (layer.transforms() ? graph_.kernels_.pack : graph_.kernels_.pack_1x1)(packing, block, Packed(step));
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
    const LayerGraph::Layer& conv = Layer(now.layer);
    const int width = layout_.Width(now.layer + 1), tiles = LayerGraphLayout::TileCount(width);
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
      rows.out[y - row] = RowToWrite(now.layer + 1, now.band, y);
      for (size_t n = 0; n < conv.added.size(); ++n)
        rows.added[n].rows[y - row] = RowToWrite(conv.added[n].map.index, now.band, y);
    }
    for (size_t n = 0; n < conv.added.size(); ++n) rows.added[n].scale = conv.added[n].scale;
    ConvLayer layer = conv.conv;
    layer.weights = Packed(step);
    float* scratch = Scratch(worker);
    // Blocks of nearly equal size: a last one of a single tile would read all weights for it.
    const int first = tiles * block / blocks, end = tiles * (block + 1) / blocks;
    (conv.transforms() ? graph_.kernels_.run : graph_.kernels_.run_1x1)(layer, rows, first, end - first,
                                                                        scratch);
    for (int y = row; y < last; ++y)
      ClearMargins(now.layer + 1, Row(now.layer + 1, now.band, y), block, blocks);
  }

  float* Scratch(int worker) const {
    return work_ + layout_.scratch + static_cast<size_t>(worker) * layout_.scratch_floats;
  }

  WholeMap Whole(const FeatureMap& map, size_t band) const {
    return {RowToWrite(map.index, band, 0), layout_.RowFloats(map.index), layout_.Stride(map.index),
            layout_.Height(map.index), layout_.Width(map.index)};
  }

  /// Four rows of a layer that is no convolution of all channels at one size.
  void Sample(const LayerGraphLayout::Step& now, int step, int row, int worker) const {
    using Kind = LayerGraph::Kind;
    const LayerGraph::Layer& layer = Layer(now.layer);
    const int given = now.layer + 1, end = std::min(row + 4, now.rows.end);
    if (layer.kind == Kind::kDoubled) {
      for (int y = row; y < end; y += 2) Double(now, step, y, worker);
    } else {
      for (int y = row; y < end; ++y) SampleRow(now, step, y, worker);
    }
    for (int y = row; y < end; ++y) ClearMargins(given, Row(given, now.band, y), 0, 1);
  }

  /// Rows y and y + 1 of a map that is twice as large as what it is made of.
  void Double(const LayerGraphLayout::Step& now, int step, int y, int worker) const {
    const LayerGraph::Layer& layer = Layer(now.layer);
    const int given = now.layer + 1, from = layer.from.front().index;
    ConvLayer conv = layer.conv;
    conv.weights = Packed(step);
    float* const rows[2] = {RowToWrite(given, now.band, y), RowToWrite(given, now.band, y + 1)};
    DoubledRows(graph_.kernels_, conv, RowToWrite(from, now.band, y / 2), layout_.Width(from), rows,
                Scratch(worker));
  }

  void SampleRow(const LayerGraphLayout::Step& now, int step, int y, int worker) const {
    using Kind = LayerGraph::Kind;
    const LayerGraph::Layer& layer = Layer(now.layer);
    const FeatureMap& map = layer.from.front();
    const int given = now.layer + 1, width = layout_.Width(given);
    float* to = RowToWrite(given, now.band, y);
    const size_t floats = static_cast<size_t>(width) * layout_.Stride(given);
    switch (layer.kind) {
      case Kind::kConv:
      case Kind::kDoubled:
        return;  // elsewhere
      case Kind::kStrided: {
        ConvLayer conv = layer.conv;
        conv.weights = Packed(step);
        return StridedRow(graph_.kernels_, conv, Whole(map, now.band), layer.side, layer.stride, y, width, to,
                          Scratch(worker));
      }
      case Kind::kDepthwise:
        return Depthwise(now, y, to);
      case Kind::kMean:
        return MeanOf(Whole(map, now.band), to);
      case Kind::kFunction:
        std::memcpy(to, RowToWrite(map.index, now.band, y), floats * sizeof(float));
        return Apply(layer.function, to, floats);
      case Kind::kScaled:
        return Scale(now, y, to);
      case Kind::kMaxPool:
        return MaxPoolRow(Whole(map, now.band), layer.side, layer.stride, y, width, to);
      case Kind::kResized:
        return BilinearRow(Whole(map, now.band), layout_.Height(given), width, y, to);
    }
  }

  void Scale(const LayerGraphLayout::Step& now, int y, float* to) const {
    const LayerGraph::Layer& layer = Layer(now.layer);
    const int width = layout_.Width(now.layer + 1);
    const size_t stride = layout_.Stride(now.layer + 1);
    ScaledRow(RowToWrite(layer.from[0].index, now.band, y), RowToWrite(layer.from[1].index, now.band, 0),
              RowToWrite(layer.from[2].index, now.band, 0), width, stride, to);
    for (const GraphConv::Added& added : layer.added)
      AddRow(RowToWrite(added.map.index, now.band, y), static_cast<size_t>(width) * stride, to);
  }

  void Depthwise(const LayerGraphLayout::Step& now, int y, float* to) const {
    const LayerGraph::Layer& layer = Layer(now.layer);
    const int map = layer.from.front().index, reach = layer.side / 2;
    DepthwiseRow row;
    row.side = layer.side;
    row.width = layout_.Width(map);
    for (int i = 0; i < layer.side; ++i) {
      const int from = y + i - reach;
      row.rows[i] = from < 0 || from >= layout_.Height(map) ? nullptr : RowToWrite(map, now.band, from);
    }
    row.out = to;
    graph_.kernels_.run_depthwise(layer.conv, row);
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
        const int shown = input.bands * u * u;
        for (size_t n = 0; n < input.told.size(); ++n) to[static_cast<size_t>(shown) + n] = input.told[n];
        for (int c = 0; c < shown; ++c) {
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
  /// The row or column that stands for one that the image does not have.
  int Continued(int at, int size) const {
    if (at < size) return at;
    const int mirrored = 2 * (size - 1) - at;
    switch (graph_.input_.continued) {
      case Continuation::kMirror:
        return std::max(0, mirrored);
      case Continuation::kLast:
        return size - 1;
      case Continuation::kMirrorOrLast:
        break;
    }
    const int u = graph_.input_.unshuffle;
    const bool mirrors = layout_.height * u < 2 * image_.height && layout_.width * u < 2 * image_.width;
    return mirrors ? mirrored : size - 1;
  }

  /// Four rows of the last map, as pixels.
  void PutOut(const LayerGraphLayout::Step& now, int row) {
    constexpr float kMost = std::numeric_limits<float>::max();
    const int s = graph_.shuffle_;
    const int scale = s * (layout_.Height(graph_.output_.index) / layout_.height);
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
              float made = *value;
              if (graph_.end_ != MapFunction::kNone) Apply(graph_.end_, &made, 1);
              to[x] = std::min(std::max(made, 0.0f), 1.0f);
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
  const int layers_;
  std::atomic<bool> finite_ = true;
};

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
