// A model as an embedder: its digest and what it takes at once, the network and its scheduler when the first
// image needs them.
#include <algorithm>

#include "base/try.h"
#include "embedder.h"
#include "imgmill/base/path_text.h"
#include "imgmill/engine/batch_scheduler.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/signals/model_image.h"
#include "model_loading.h"
#include "packed_fact.h"

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

/// What a catalog keeps of a model by its digest: then the vectors' name is known without opening LibTorch.
struct KnownInput {
  bool says = false;  ///< TorchScript does not
  ModelInput input;
};
constexpr char kInputFact[] = "model-input/1";

class ModelEmbedder final : public Embedder {
 public:
  ModelEmbedder(const EmbeddingOptions& options, const CommandServices& services)
      : options_(options), services_(services) {}

  /// Loads the network only if the catalog has not seen it before.
  Status Open() {
    const Result<ContentDigest> digest = DigestOf(options_.model);
    if (!digest) {
      Error error = digest.error();
      error.stage = Stage::kConfigure;
      error.message = PrintablePath(options_.model) + ": the model cannot be read: " + error.message;
      return error;
    }
    KnownInput known;
    if (!Unpack(services_.catalog->FindFact(*digest, kInputFact), known)) {
      TRY(Load());
      known.says = model_->info().input.has_value();
      known.input = model_->info().input.value_or(ModelInput{});
      TRY(services_.catalog->PutFact(*digest, kInputFact, Packed(known)));
    }
    const ModelInput input = TRY(options_.Input(known.says ? &known.input : nullptr));
    input_ = input;
    says_ = known.says;
    // What runs it and how many at once is left out: `match` finds the vectors without opening LibTorch.
    // Between a CPU and a GPU they differ by some 1e-5.
    kind_ = (known.says ? "weights/1 " : "torchscript/1 ") + digest->Hex() + " " + input_.Describe() +
            (options_.activation.empty() ? "" : " activation=" + options_.activation) + " float32";
    if (services_.shared->batch > 0) kind_ += " batch=" + std::to_string(services_.shared->batch);
    return {};
  }

  const std::string& kind() const override { return kind_; }
  int dimension() const override { return model_ ? model_->info().dimension : 0; }
  /// Half as large again in each direction would do for TorchScript; twice leaves the filter something to
  /// average. Published weights have vectors that others compute too: of the whole image.
  int shrink_to_side() const override { return says_ ? 0 : 2 * input_.side; }
  size_t PooledBytes(const Layout& input) const override {
    const auto side = static_cast<size_t>(input_.side);
    return ModelImage::PooledBytes(input_, input) + 3 * side * side * sizeof(float);
  }
  std::unique_ptr<ImageEmbedding> Start(const Layout& input) override {
    return std::make_unique<ModelEmbedding>(input_, input, *scheduler_);
  }

  bool NeedsPreparing() const override { return true; }
  Status Prepare() override {
    if (scheduler_ != nullptr) return {};
    if (model_ == nullptr) TRY(Load());
    NumericsPlan plan = model_->Plan(services_.memory->device(0).name());
    if (services_.shared->batch > 0) plan.micro_batch = services_.shared->batch;
    const ModelInfo& info = model_->info();
    services_.log(LogLevel::kInfo, info.architecture + ", vectors of " + std::to_string(info.dimension) +
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
  Status Load() {
    ModelRuntime* runtime = TRY(services_.OpenModels());
    const EmbedderRequest request{options_.input_size, options_.activation};
    Result<std::shared_ptr<EmbeddingModel>> loaded = LoadGuarded<EmbeddingModel>(
        services_, options_.model, "embed " + std::to_string(request.side) + request.activation,
        [&] { return runtime->LoadEmbedder(options_.model, request); });
    if (!loaded) return loaded.error();
    model_ = *std::move(loaded);
    return {};
  }

  const EmbeddingOptions& options_;
  const CommandServices& services_;
  ModelInput input_;
  bool says_ = false;  ///< the weights do, what they take
  std::string kind_;
  std::shared_ptr<EmbeddingModel> model_;
  std::unique_ptr<BatchScheduler> scheduler_;  // after the model that it runs
};

}  // namespace

Result<std::unique_ptr<Embedder>> MakeModelEmbedder(const EmbeddingOptions& options,
                                                    const CommandServices& services) {
  auto embedder = std::make_unique<ModelEmbedder>(options, services);
  TRY(embedder->Open());
  return std::unique_ptr<Embedder>(std::move(embedder));
}

}  // namespace imgmill
