#include "networks/kernel_executor.h"

#include "base/try.h"
#include "networks/edge.h"

namespace imgmill {
namespace {

class KernelExecutor final : public Executor {
 public:
  KernelExecutor(const ModelInfo& info, const ConvKernels& kernels, std::shared_ptr<const LayerGraph> graph,
                 std::shared_ptr<const DeviceSlot> slot)
      : info_(info), kernels_(kernels), graph_(std::move(graph)), slot_(std::move(slot)) {}

  /// One image after the other, so that n does not matter.
  BatchCost Cost(int /*n*/, int height, int width) const override {
    BatchCost cost;
    cost.bytes = graph_->WorkBytes(height, width, slot_->team->threads());
    return cost;
  }

  std::unique_ptr<ModelStream> OpenStream(Precision) override { return std::make_unique<Stream>(*this); }

 private:
  class Stream final : public ModelStream {
   public:
    explicit Stream(const KernelExecutor& executor) : on_(executor) {}
    Status Run(std::span<const BatchImage> images, int n, int height, int width) override {
      return AtEdge(Stage::kCompute, [&]() -> Status {
        TRY(CheckShape(on_.info_, images.size(), n, height, width));
        WorkerTeam& team = *on_.slot_->team;
        Buffer work(*on_.slot_->pool, on_.graph_->WorkBytes(height, width, team.threads()));
        for (const BatchImage& image : images) {
          if (!RunOne(image, height, width, work.data(), team)) return NotFinite(on_.info_);
        }
        return {};
      });
    }

   private:
    /// A network for grey is shown each band by itself. @return whether all values were finite
    bool RunOne(const BatchImage& image, int height, int width, uint8_t* work, WorkerTeam& team) const {
      const size_t shown = on_.info_.bands == 1 ? 3 : 1, scale = static_cast<size_t>(on_.info_.scale);
      const size_t plane = static_cast<size_t>(height) * static_cast<size_t>(width);
      for (size_t band = 0; band < shown; ++band) {
        const KernelImage one = {image.input + band * plane, image.output + band * plane * scale * scale,
                                 height, width};
        if (!on_.graph_->Run(on_.kernels_, one, work, team)) return false;
      }
      return true;
    }

    const KernelExecutor& on_;
  };

  const ModelInfo& info_;
  const ConvKernels& kernels_;
  const std::shared_ptr<const LayerGraph> graph_;
  const std::shared_ptr<const DeviceSlot> slot_;
};

}  // namespace

std::unique_ptr<Executor> MakeKernelExecutor(const ModelInfo& info, const ConvKernels& kernels,
                                             std::shared_ptr<const LayerGraph> graph,
                                             std::shared_ptr<const DeviceSlot> slot) {
  return std::make_unique<KernelExecutor>(info, kernels, std::move(graph), std::move(slot));
}

}  // namespace imgmill
