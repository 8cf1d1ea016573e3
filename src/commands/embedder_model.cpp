// A model as an embedder: its digest at once, the network and its scheduler when the first image needs them.
#include <algorithm>

#include "base/try.h"
#include "embedder.h"
#include "imgmill/base/path_text.h"
#include "imgmill/engine/batch_scheduler.h"
#include "imgmill/memory/pool_array.h"
#include "model_loading.h"

namespace imgmill {
namespace {

class ModelEmbedding final : public ImageEmbedding {
 public:
  ModelEmbedding(const ModelInput& input, const Layout& layout, BatchScheduler& scheduler)
      : side_(input.side), scheduler_(scheduler), visit_(scheduler), image_(std::in_place, input, layout) {}

  void Add(const ImageView& rows) override { image_->Add(rows); }

  Status Finish(std::span<float> vector, Rung& rung) override {
    const auto side = static_cast<size_t>(side_);
    PoolArray<float> planes(3 * side * side);
    image_->Finish(planes.data());
    TileJob job;
    job.input = planes.data();
    job.output = vector.data();
    job.height = job.width = job.own_height = job.own_width = side_;
    const Status ran = scheduler_.Run({&job, 1});
    rung = std::max(rung, job.rung);
    return ran;
  }

 private:
  const int side_;
  BatchScheduler& scheduler_;
  BatchScheduler::Visit visit_;
  std::optional<ModelImage> image_;
};

class ModelEmbedder final : public Embedder {
 public:
  ModelEmbedder(const EmbeddingOptions& options, const CommandServices& services, const ContentDigest& digest)
      : options_(options), services_(services), input_(options.Input()) {
    // What runs it and how many at once is left out: `match` finds the vectors without opening LibTorch.
    // Between a CPU and a GPU they differ by some 1e-5.
    kind_ = "torchscript/1 " + digest.Hex() + " " + input_.Describe() + " float32";
    if (services.shared->batch > 0) kind_ += " batch=" + std::to_string(services.shared->batch);
  }

  const std::string& kind() const override { return kind_; }
  int dimension() const override { return model_ ? model_->info().dimension : 0; }
  /// Half as large again in each direction would do; twice leaves the filter something to average.
  int shrink_to_side() const override { return 2 * input_.side; }
  size_t PooledBytes(const Layout& input) const override {
    const auto side = static_cast<size_t>(input_.side);
    return ModelImage::PooledBytes(input_, input) + 3 * side * side * sizeof(float);
  }
  std::unique_ptr<ImageEmbedding> Start(const Layout& input) override {
    return std::make_unique<ModelEmbedding>(input_, input, *scheduler_);
  }

  bool NeedsPreparing() const override { return true; }
  Status Prepare() override {
    ModelRuntime* runtime = TRY(services_.OpenModels());
    Result<std::shared_ptr<EmbeddingModel>> loaded =
        LoadGuarded<EmbeddingModel>(services_, options_.model, "embed " + std::to_string(input_.side),
                                    [&] { return runtime->LoadEmbedder(options_.model, input_.side); });
    if (!loaded) return loaded.error();
    model_ = *std::move(loaded);
    NumericsPlan plan = model_->Plan(services_.memory->device(0).name());
    if (services_.shared->batch > 0) plan.micro_batch = services_.shared->batch;
    services_.log(LogLevel::kInfo, "TorchScript, vectors of " + std::to_string(model_->info().dimension) +
                                       ", " + plan.Describe());
    services_.memory->Rebaseline();  // weights and LibTorch are in memory now: nobody's lease
    std::unique_ptr<BatchScheduler> scheduler =
        TRY(BatchScheduler::Open(*model_, plan, input_.side, *services_.memory, *services_.stop));
    scheduler_ = std::move(scheduler);
    return {};
  }

  void Describe(JsonObject& details) const override {
    details["model"] = PrintablePath(options_.model);
    details["input"] = input_.Describe();
  }

 private:
  const EmbeddingOptions& options_;
  const CommandServices& services_;
  const ModelInput input_;
  std::string kind_;
  std::shared_ptr<EmbeddingModel> model_;
  std::unique_ptr<BatchScheduler> scheduler_;  // after the model that it runs
};

}  // namespace

Result<std::unique_ptr<Embedder>> MakeModelEmbedder(const EmbeddingOptions& options,
                                                    const CommandServices& services) {
  const Result<ContentDigest> digest = DigestOf(options.model);
  if (!digest) {
    Error error = digest.error();
    error.stage = Stage::kConfigure;
    error.message = PrintablePath(options.model) + ": the model cannot be read: " + error.message;
    return error;
  }
  return std::unique_ptr<Embedder>(std::make_unique<ModelEmbedder>(options, services, *digest));
}

}  // namespace imgmill
