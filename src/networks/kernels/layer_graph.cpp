#include "networks/kernels/layer_graph.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "imgmill/memory/stop_scope.h"
#include "networks/kernels/graph_image.h"
#include "networks/kernels/layer_rows.h"

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
        maps_(layout, reinterpret_cast<float*>(work)),
        rows_(kernels, maps_) {
    std::memset(maps_.ZeroRow(), 0, layout.zero_floats() * sizeof(float));
    std::memset(maps_.Counters(0), 0, layout.counter_count() * sizeof(int));
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
    if (part.rows.count() == 0) return rows_.Pack(part.stage, task);
    const int blocks = shape_.Blocks(part.stage), row = part.rows.first + 4 * (task / blocks);
    const RowRange rows = {row, std::min(row + 4, part.rows.end)};
    for (const GraphShape::Read& read : shape_.ReadsOf(part.stage, rows)) {
      if (!Await(read)) return;
    }
    if (part.stage == 0) {
      TakeIn(rows);
    } else if (!shape_.IsLayer(part.stage)) {
      return PutOut(rows);
    } else {
      rows_.Make(part.stage, rows, task % blocks, blocks, worker);
    }
    Done(part.stage, row / 4).fetch_add(1, std::memory_order_release);
  }

  std::atomic_ref<int> Done(int map, int tile_row) const {
    return std::atomic_ref(maps_.Counters(map)[tile_row]);
  }

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

  void TakeIn(RowRange rows) const {
    const size_t pixel = shape_.Stride(0);
    for (int y = rows.first; y < rows.end; ++y) {
      maps_.ClearMargins(0, y, 0, 1);
      TakeInRow(plan_.input, image_, shape_, y, {maps_.Row(0, y), pixel});
    }
  }

  void PutOut(RowRange rows) {
    const FeatureMap& map = plan_.output.map;
    const size_t pixel = shape_.Stride(map.index);
    const int margin = plan_.output.margin;
    bool finite = true;
    for (int y = rows.first; y < rows.end; ++y) {
      const float* from = maps_.Row(map.index, y + margin) + static_cast<size_t>(margin) * pixel + map.first;
      finite &= PutOutRows(plan_, shape_, image_, y, {from, pixel});
    }
    if (!finite) finite_ = false;
  }

  const ConvKernels& kernels_;
  const GraphPlan& plan_;
  const LayerGraphLayout& layout_;
  const GraphShape& shape_;
  const KernelImage image_;
  const GraphMaps maps_;
  const LayerRows rows_;
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
