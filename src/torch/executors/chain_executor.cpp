#include "torch/executors/chain_executor.h"

#include "base/try.h"
#include "torch/edge.h"

namespace imgmill {
namespace {

class ChainExecutor final : public Executor {
 public:
  ChainExecutor(const ModelInfo& info, std::shared_ptr<const ConvChain> chain,
                std::shared_ptr<const DeviceSlot> slot)
      : info_(info), chain_(std::move(chain)), slot_(std::move(slot)) {}

  /// One image after the other, so that n does not matter.
  BatchCost Cost(int /*n*/, int /*height*/, int width) const override {
    BatchCost cost;
    cost.bytes = chain_->WorkBytes(width, slot_->team->threads());
    return cost;
  }

  std::unique_ptr<ModelStream> OpenStream() override { return std::make_unique<Stream>(*this); }

 private:
  class Stream final : public ModelStream {
   public:
    explicit Stream(const ChainExecutor& executor) : on_(executor) {}
    Status Run(std::span<const BatchImage> images, int n, int height, int width) override {
      return AtEdge(Stage::kCompute, [&]() -> Status {
        TRY(CheckShape(on_.info_, images.size(), n, height, width));
        WorkerTeam& team = *on_.slot_->team;
        Buffer work(*on_.slot_->pool, on_.chain_->WorkBytes(width, team.threads()));
        for (const BatchImage& image : images) {
          if (!on_.chain_->Run({image.input, image.output, height, width}, work.data(), team))
            return NotFinite(on_.info_);
        }
        return {};
      });
    }

   private:
    const ChainExecutor& on_;
  };

  const ModelInfo& info_;
  const std::shared_ptr<const ConvChain> chain_;
  const std::shared_ptr<const DeviceSlot> slot_;
};

}  // namespace

std::unique_ptr<Executor> MakeChainExecutor(const ModelInfo& info, std::shared_ptr<const ConvChain> chain,
                                            std::shared_ptr<const DeviceSlot> slot) {
  return std::make_unique<ChainExecutor>(info, std::move(chain), std::move(slot));
}

}  // namespace imgmill
