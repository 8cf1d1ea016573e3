#include "networks/kernels/layer_graph.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "imgmill/memory/stop_scope.h"
#include "networks/kernels/graph_image.h"
#include "networks/kernels/layer_graph_layout.h"
#include "networks/kernels/map_sampling.h"

namespace imgmill {

/// One call of LayerGraph::Run.
class LayerGraphWork final : public TeamWork {
 public:
  LayerGraphWork(const ConvKernels& kernels, const GraphPlan& plan, const LayerGraphLayout& layout,
                 const KernelImage& image, uint8_t* work)
      : kernels_(kernels),
        plan_(plan),
        layout_(layout),
        shape_(layout.shape()),
        image_(image),
        work_(reinterpret_cast<float*>(work)) {
    std::memset(ZeroRow(), 0, layout.zero_floats() * sizeof(float));
    std::memset(Counters(0), 0, layout.counter_count() * sizeof(int));
  }

  bool finite() const { return finite_; }

  int steps() const override { return static_cast<int>(layout_.steps().size()); }
  int tasks(int step) const override {
    int tasks = 0;
    for (const LayerGraphLayout::Part& part : StepAt(step)) tasks += Tasks(part);
    return tasks;
  }

  void Run(int step, int task, int worker) noexcept override {
    for (const LayerGraphLayout::Part& part : StepAt(step)) {
      const int tasks = Tasks(part);
      if (task < tasks) return Run(part, task, worker);
      task -= tasks;
    }
  }

 private:
  const LayerGraphLayout::Step& StepAt(int step) const { return layout_.steps()[static_cast<size_t>(step)]; }

  /// By blocks of weights, or by blocks of rows of tiles.
  int Tasks(const LayerGraphLayout::Part& part) const {
    if (part.rows.count() == 0) return kernels_.blocks(shape_.LayerOf(part.stage).conv.out_channels);
    return TileCount(part.rows.count()) * shape_.Blocks(part.stage);
  }

  void Run(const LayerGraphLayout::Part& part, int task, int worker) {
    if (part.rows.count() == 0) return Pack(part.stage, task);
    const int blocks = shape_.Blocks(part.stage), row = part.rows.first + 4 * (task / blocks);
    const RowRange rows = {row, std::min(row + 4, part.rows.end)};
    for (const GraphShape::Read& read : shape_.ReadsOf(part.stage, rows)) {
      if (!Await(read)) return;
    }
    if (part.stage == 0) {
      TakeIn(rows);
    } else if (!shape_.IsLayer(part.stage)) {
      return PutOut(rows);
    } else if (shape_.LayerOf(part.stage).kind == LayerKind::kConv) {
      Convolve(part.stage, rows, task % blocks, blocks, worker);
    } else {
      Sample(part.stage, rows, task % blocks, blocks, worker);
    }
    Done(part.stage, row / 4).fetch_add(1, std::memory_order_release);
  }

  int* Counters(int map) const { return reinterpret_cast<int*>(work_) + layout_.CountersAt(map); }
  std::atomic_ref<int> Done(int map, int tile_row) const { return std::atomic_ref(Counters(map)[tile_row]); }

  /// Until these rows are made. Tasks are begun in order, so that somebody is at it. @return false if the run
  /// is to stop, since then what is begun is left.
  bool Await(const GraphShape::Read& read) const {
    const int first = std::max(0, read.rows.first), end = std::min(read.rows.end, shape_.Height(read.map));
    const int blocks = shape_.Blocks(read.map);
    for (int tile_row = first / 4; 4 * tile_row < end; ++tile_row) {
      const std::atomic_ref<int> done = Done(read.map, tile_row);
      for (int look = 0; done.load(std::memory_order_acquire) < blocks; ++look) {
        if (look < kShortLooks) {
          ShortPause();
        } else if (stop_ != nullptr && stop_->StopRequested()) {
          return false;
        } else {
          std::this_thread::yield();
        }
      }
    }
    return true;
  }

  void Pack(int stage, int block) const {
    const GraphLayer& layer = shape_.LayerOf(stage);
    ConvPacking packing;
    packing.weights = reinterpret_cast<const float*>(layer.weights.data());
    packing.file_channels = layer.file_channels;
    packing.from = layer.packed_from.data();
    packing.in_channels = layer.conv.in_channels;
    packing.out_channels = layer.conv.out_channels;
    (layer.transforms() ? kernels_.pack : kernels_.pack_1x1)(packing, block, work_ + layout_.PackedAt(stage));
  }
  /// A stage's convolution with its packed weights.
  ConvLayer Packed(int stage) const {
    ConvLayer conv = shape_.LayerOf(stage).conv;
    conv.weights = work_ + layout_.PackedAt(stage);
    return conv;
  }

  float* ZeroRow() const { return work_ + layout_.ZeroRowAt(); }
  float* Scratch(int worker) const { return work_ + layout_.ScratchAt(worker); }
  /// Row y of a map as it is stored, from the pixel left of the image on.
  float* Row(int map, int y) const { return work_ + layout_.RowAt(map, y); }
  float* RowToWrite(int map, int y) const { return Row(map, y) + shape_.Stride(map); }
  const float* RowToRead(const FeatureMap& map, int y) const {
    const int at = map.doubled ? y >> 1 : y;
    if (y < 0 || at >= shape_.Height(map.index)) return ZeroRow();
    return Row(map.index, at) + map.first;
  }

  void Convolve(int stage, RowRange made, int block, int blocks, int worker) const {
    const GraphLayer& layer = shape_.LayerOf(stage);
    ConvRows rows;
    rows.width = shape_.Width(stage);
    rows.inputs = static_cast<int>(layer.from.size());
    for (size_t n = 0; n < layer.from.size(); ++n) {
      const FeatureMap& map = layer.from[n];
      ConvInput& in = rows.in[n];
      in.stride = static_cast<int>(shape_.Stride(map.index));
      for (int i = 0; i < 6; ++i)
        in.rows[i] = RowToRead(map, made.first - 1 + layer.margin + i) + layer.margin * in.stride;
      in.channels = PaddedChannels(map.channels);
      in.doubled = map.doubled;
    }
    rows.additions = static_cast<int>(layer.added.size());
    for (int y = made.first; y < made.end; ++y) {
      rows.out[y - made.first] = RowToWrite(stage, y);
      for (size_t n = 0; n < layer.added.size(); ++n)
        rows.added[n].rows[y - made.first] = AddedRow(layer.added[n], y);
    }
    for (size_t n = 0; n < layer.added.size(); ++n) rows.added[n].scale = layer.added[n].scale;
    const TileSpan tiles = TilesOf(TileCount(rows.width), block, blocks);
    (layer.transforms() ? kernels_.run : kernels_.run_1x1)(Packed(stage), rows, tiles.first, tiles.count(),
                                                           Scratch(worker));
    for (int y = made.first; y < made.end; ++y) ClearMargins(stage, Row(stage, y), block, blocks);
  }

  /// A map that is there whole.
  WholeMap Whole(const FeatureMap& map) const {
    return {RowToWrite(map.index, 0), shape_.RowFloats(map.index), shape_.Stride(map.index),
            shape_.Height(map.index), shape_.Width(map.index)};
  }

  /// The row that is added to row y.
  const float* AddedRow(const AddedMap& added, int y) const {
    return RowToWrite(added.map.index, y + added.margin) +
           static_cast<size_t>(added.margin) * shape_.Stride(added.map.index);
  }

  /// Up to four rows of a layer that is no convolution of all channels at one size.
  void Sample(int stage, RowRange made, int block, int blocks, int worker) const {
    const LayerKind kind = shape_.LayerOf(stage).kind;
    for (int y = made.first; y < made.end; y += kind == LayerKind::kDoubled ? 2 : 1) {
      if (kind == LayerKind::kDoubled) {
        Double(stage, y, worker);
      } else if (kind == LayerKind::kMean) {
        MeanOf(Whole(shape_.LayerOf(stage).from.front()), block, RowToWrite(stage, y));
      } else if (kind == LayerKind::kGroupNorm) {
        NormalizeGroup(stage, block);
      } else if (kind == LayerKind::kWide) {
        Widely(stage, y, TilesOf(TileCount(shape_.Width(stage)), block, blocks), worker);
      } else {
        SampleRow(stage, y, worker);
      }
    }
    for (int y = made.first; y < made.end; ++y) ClearMargins(stage, Row(stage, y), block, blocks);
  }

  /// Rows y and y + 1 of a map that is twice as large as what it is made of.
  void Double(int stage, int y, int worker) const {
    const GraphLayer& layer = shape_.LayerOf(stage);
    const int from = layer.from.front().index;
    float* const rows[2] = {RowToWrite(stage, y), RowToWrite(stage, y + 1)};
    DoubledRows(kernels_, Packed(stage), RowToWrite(from, y / 2), shape_.Width(from), rows, Scratch(worker));
    for (int i = 0; i < 2; ++i) AddRows(layer, y + i, FloatsOfRow(stage), rows[i]);
  }

  /// Some pixels of row y of a convolution with a large kernel.
  void Widely(int stage, int y, const TileSpan& tiles, int worker) const {
    const GraphLayer& layer = shape_.LayerOf(stage);
    WidePixels to;
    to.row = RowToWrite(stage, y);
    to.width = shape_.Width(stage);
    to.first = 4 * tiles.first;
    to.end = std::min(to.width, 4 * tiles.end);
    to.pixel = to.floats = shape_.Stride(stage);
    const size_t at = static_cast<size_t>(to.first) * to.pixel,
                 floats = static_cast<size_t>(to.end - to.first) * to.pixel;
    if (layer.partial) {
      to.floats = static_cast<size_t>(layer.conv.out_channels);
      std::memcpy(to.row + at, RowToWrite(layer.from.front().index, y) + at, floats * sizeof(float));
    }
    WideRow(kernels_, Packed(stage), Around(layer, y), to, Scratch(worker));
    for (const AddedMap& added : layer.added)
      AddRow(AddedRow(added, y) + at, added.scale, floats, to.row + at);
  }

  /// Floats of a row's pixels, without what stands around them.
  size_t FloatsOfRow(int map) const { return static_cast<size_t>(shape_.Width(map)) * shape_.Stride(map); }
  void AddRows(const GraphLayer& layer, int y, size_t floats, float* to) const {
    for (const AddedMap& added : layer.added) AddRow(AddedRow(added, y), added.scale, floats, to);
  }

  void SampleRow(int stage, int y, int worker) const {
    const GraphLayer& layer = shape_.LayerOf(stage);
    const FeatureMap& map = layer.from.front();
    const int width = shape_.Width(stage);
    float* to = RowToWrite(stage, y);
    const size_t floats = FloatsOfRow(stage);
    switch (layer.kind) {
      case LayerKind::kConv:
      case LayerKind::kDoubled:
      case LayerKind::kMean:
      case LayerKind::kGroupNorm:
      case LayerKind::kWide:
        return;  // elsewhere
      case LayerKind::kStrided:
        return StridedRow(kernels_, Packed(stage), Windowed(layer, y), width, to, Scratch(worker));
      case LayerKind::kDepthwise:
        return ConvolveApart(layer, y, to);
      case LayerKind::kShuffled: {
        const int side = layer.stride, group = y % side * side;
        return ShuffledRow(RowToWrite(map.index, y / side), shape_.Stride(map.index), side,
                           static_cast<size_t>(group) * shape_.Stride(stage), width, shape_.Stride(stage),
                           to);
      }
      case LayerKind::kFunction:
        std::memcpy(to, RowToWrite(map.index, y), floats * sizeof(float));
        return Apply(layer.function, to, floats);
      case LayerKind::kNormalized:
        return NormalizedRow(RowToWrite(map.index, y), layer.conv, layer.epsilon, width, to);
      case LayerKind::kScaled:
        ScaledRow(RowToWrite(map.index, y), OnePixel(layer.from[1]),
                  layer.from.size() > 2 ? OnePixel(layer.from[2]) : ZeroRow(), width, shape_.Stride(stage),
                  to);
        return AddRows(layer, y, floats, to);
      case LayerKind::kProduct: {
        const FeatureMap& other = layer.from[1];
        return ProductRow(RowToWrite(map.index, y) + map.first, shape_.Stride(map.index),
                          RowToWrite(other.index, y) + other.first, shape_.Stride(other.index), width,
                          shape_.Stride(stage), to);
      }
      case LayerKind::kMaxPool:
        return MaxPoolRow(Windowed(layer, y), width, to);
      case LayerKind::kSampled:
        return SampledRow(Whole(map), Learned(layer, y), width, shape_.Stride(stage), to);
      case LayerKind::kResized: {
        const Between rows(y, shape_.Height(map.index), shape_.Height(stage));
        return BilinearRow(RowToWrite(map.index, rows.first), RowToWrite(map.index, rows.second), rows.share,
                           shape_.Width(map.index), width, shape_.Stride(stage), to);
      }
    }
  }

  const float* OnePixel(const FeatureMap& map) const { return RowToWrite(map.index, 0) + map.first; }

  void NormalizeGroup(int stage, int group) const {
    const GraphLayer& layer = shape_.LayerOf(stage);
    const FeatureMap& map = layer.from.front();
    const int count = map.channels / layer.groups;
    const int padded = PaddedChannels(map.channels);
    float *const factors = RowToWrite(stage, 0), *const shifts = factors + padded;
    GroupFactors(Whole(map), group * count, count, layer.conv, layer.epsilon, factors, shifts);
    if (group + 1 < layer.groups) return;
    for (float* values : {factors, shifts}) std::fill(values + map.channels, values + padded, 0.0f);
  }

  /// What the windows of row y of a layer's map see.
  WindowRows Windowed(const GraphLayer& layer, int y) const {
    const int map = layer.from.front().index;
    WindowRows windows;
    windows.side = layer.side;
    windows.stride = layer.stride;
    windows.pixel = windows.floats = shape_.Stride(map);
    for (int i = 0; i < layer.side; ++i) windows.rows[i] = RowToWrite(map, y * layer.stride + i);
    return windows;
  }

  /// What those of row y of a layer that keeps the size see.
  WindowRows Around(const GraphLayer& layer, int y) const {
    const int map = layer.from.front().index;
    WindowRows windows;
    windows.side = layer.side;
    windows.pixel = shape_.Stride(map);
    windows.floats = static_cast<size_t>(layer.conv.in_channels / (layer.side * layer.side));
    for (int i = 0; i < layer.side; ++i) {
      const int from = y + i - layer.side / 2;
      windows.rows[i] = from < 0 || from >= shape_.Height(map) ? nullptr : RowToWrite(map, from);
    }
    return windows;
  }

  /// Where the pixels of row y look.
  LearnedPlaces Learned(const GraphLayer& layer, int y) const {
    const FeatureMap& places = layer.from[1];
    LearnedPlaces learned;
    learned.row = y;
    learned.scale = layer.stride;
    learned.groups = layer.groups;
    learned.channels = layer.from.front().channels / layer.groups;
    learned.places = RowToWrite(places.index, y / layer.stride);
    learned.pixel = shape_.Stride(places.index);
    learned.start = reinterpret_cast<const float*>(layer.weights.data());
    return learned;
  }

  void ConvolveApart(const GraphLayer& layer, int y, float* to) const {
    const int map = layer.from.front().index, reach = layer.side / 2;
    DepthwiseRow row;
    row.side = layer.side;
    row.width = shape_.Width(map);
    for (int i = 0; i < layer.side; ++i) {
      const int from = y + i - reach;
      row.rows[i] = from < 0 || from >= shape_.Height(map) ? nullptr : RowToWrite(map, from);
    }
    row.out = to;
    row.additions = static_cast<int>(layer.added.size());
    for (size_t n = 0; n < layer.added.size(); ++n) {
      row.added[n] = AddedRow(layer.added[n], y);
      row.scales[n] = layer.added[n].scale;
    }
    kernels_.run_depthwise(layer.conv, row);
  }

  /// The pixels left and right of the image, which convolutions read as zeros.
  void ClearMargins(int map, float* row, int block, int blocks) const {
    const size_t stride = shape_.Stride(map);
    if (block == 0) std::memset(row, 0, stride * sizeof(float));
    if (block + 1 < blocks) return;
    const size_t used = static_cast<size_t>(shape_.Width(map) + 1) * stride;
    std::memset(row + used, 0, (shape_.RowFloats(map) - used) * sizeof(float));
  }

  void TakeIn(RowRange rows) const {
    const size_t pixel = shape_.Stride(0);
    for (int y = rows.first; y < rows.end; ++y) {
      ClearMargins(0, Row(0, y), 0, 1);
      TakeInRow(plan_.input, image_, shape_, y, {RowToWrite(0, y), pixel});
    }
  }

  void PutOut(RowRange rows) {
    const FeatureMap& map = plan_.output.map;
    const size_t pixel = shape_.Stride(map.index);
    const int margin = plan_.output.margin;
    bool finite = true;
    for (int y = rows.first; y < rows.end; ++y) {
      const float* from = RowToWrite(map.index, y + margin) + static_cast<size_t>(margin) * pixel + map.first;
      finite &= PutOutRows(plan_, image_, y, {from, pixel});
    }
    if (!finite) finite_ = false;
  }

  const ConvKernels& kernels_;
  const GraphPlan& plan_;
  const LayerGraphLayout& layout_;
  const GraphShape& shape_;
  const KernelImage image_;
  float* work_;
  const StopFlag* const stop_ = StopScope::Current();
  std::atomic<bool> finite_ = true;
};

std::shared_ptr<const LayerGraphLayout> LayerGraph::LayoutFor(int height, int width, int threads) const {
  const std::lock_guard lock(mutex_);
  if (last_ == nullptr || !last_->IsFor(height, width, threads))
    last_ = std::make_shared<LayerGraphLayout>(plan_, stretches_, height, width, threads);
  return last_;
}

size_t LayerGraph::WorkBytes(int height, int width, int threads) const {
  return LayoutFor(height, width, threads)->floats() * sizeof(float);
}

bool LayerGraph::Run(const ConvKernels& kernels, const KernelImage& image, uint8_t* work,
                     WorkerTeam& team) const {
  const auto layout = LayoutFor(image.height, image.width, team.threads());
  LayerGraphWork run(kernels, plan_, *layout, image, work);
  team.Do(run);
  return run.finite();
}

}  // namespace imgmill
