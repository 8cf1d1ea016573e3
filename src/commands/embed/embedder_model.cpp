// A model as an embedder: its digest and what it takes at once, the network and its scheduler when the first
// image needs them.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "commands/model_loading.h"
#include "commands/pack/packed_fact.h"
#include "embedder.h"
#include "imgmill/base/path_text.h"
#include "imgmill/engine/batch_scheduler.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/signals/model_image.h"
#include "vector_kinds.h"

namespace imgmill {
namespace {

class ModelEmbedding final : public ImageEmbedding {
 public:
  ModelEmbedding(const ModelInput& input, const Layout& layout, BatchScheduler& scheduler)
      : input_(input), scheduler_(scheduler), visit_(scheduler), image_(input, layout) {}

  void Add(const ImageView& rows) override { image_.Add(rows); }

  Status Finish(std::span<const int> poses, std::span<float> vectors, Rung& rung) override {
    const size_t floats = InputFloats(input_);
    const auto squares = static_cast<size_t>(input_.Squares());
    const size_t dimension = vectors.size() / poses.size();
    const size_t own = poses.front() == 0 ? 1 : 0;  // else it is only turned
    PoolArray<float> planes((1 + poses.size() - own) * floats);
    image_.Finish(planes.data());
    float* const wanted = planes.data() + (1 - own) * floats;
    for (size_t i = own; i < poses.size(); ++i)
      ModelImage::Turn(input_, poses[i], planes.data(), wanted + i * floats);
    std::vector<TileJob> jobs(poses.size() * squares);
    PoolArray<float> each(squares > 1 ? jobs.size() * dimension : 0);
    for (size_t i = 0; i < jobs.size(); ++i) {
      TileJob& job = jobs[i];
      job.input = wanted + i * (floats / squares);
      job.output = (squares > 1 ? each.data() : vectors.data()) + i * dimension;
      job.height = job.width = job.own_height = job.own_width = input_.side;
    }
    const Status ran = scheduler_.Run(jobs);
    for (const TileJob& job : jobs) rung = std::max(rung, job.rung);
    for (size_t i = 0; ran && squares > 1 && i < poses.size(); ++i)
      Average(each.span().subspan(i * squares * dimension, squares * dimension),
              vectors.subspan(i * dimension, dimension));
    return ran;
  }

  /// Of all squares of an image in one pose.
  static size_t InputFloats(const ModelInput& input) {
    const auto side = static_cast<size_t>(input.side);
    return static_cast<size_t>(input.Squares()) * 3 * side * side;
  }

 private:
  /// Of several vectors, one behind the other.
  static void Average(std::span<const float> vectors, std::span<float> average) {
    for (size_t i = 0; i < average.size(); ++i) {
      double sum = 0;
      for (size_t j = i; j < vectors.size(); j += average.size()) sum += static_cast<double>(vectors[j]);
      average[i] = static_cast<float>(
          sum / (static_cast<double>(vectors.size()) / static_cast<double>(average.size())));
    }
  }

  const ModelInput input_;
  BatchScheduler& scheduler_;
  BatchScheduler::Visit visit_;
  ModelImage image_;
};

/// What a catalog keeps of a model by its digest: then the vectors' name is known without opening LibTorch.
struct KnownInput {
  bool says = false;  ///< TorchScript does not
  ModelInput input;
};
constexpr char kInputFact[] = "model-input/1";

/// What the catalog remembers of a network that scores or compares.
struct KnownJudge {
  std::array<char, 23> signal{};  ///< that it gives, by name
  bool on_clip = false;           ///< it judges CLIP's vectors
  ModelInput input;
};
constexpr char kScoreFact[] = "model-score/2", kCompareFact[] = "model-compare/2";

class ModelEmbedder final : public Embedder {
 public:
  ModelEmbedder(std::string path, EmbedderRequest request, const CommandServices& services)
      : path_(std::move(path)), request_(std::move(request)), services_(services) {}

  /// Loads the network only if the catalog has not seen it before.
  Status Open(const EmbeddingOptions& options) {
    const ContentDigest digest = TRY(DigestOfModel(path_));
    KnownInput known;
    if (!Unpack(services_.catalog->FindFact(digest, kInputFact), known)) {
      TRY(Load());
      known.says = model_->info().input.has_value();
      known.input = model_->info().input.value_or(ModelInput{});
      TRY(services_.catalog->PutFact(digest, kInputFact, Packed(known)));
    }
    if (model_) TRY(NoteModel(*services_.catalog, digest, path_, model_->info().dimension));
    const ModelInput input = TRY(options.Input(known.says ? &known.input : nullptr));
    input_ = input;
    says_ = known.says;
    // What runs it and how many at once is left out: `match` finds the vectors without opening LibTorch.
    // Between a CPU and a GPU they differ by some 1e-5.
    kind_ = (known.says ? "weights/1 " : "torchscript/1 ") + digest.Hex() + " " + input_.Describe() +
            (options.activation.empty() ? "" : " activation=" + options.activation) + " float32";
    if (services_.shared->batch > 0) kind_ += " batch=" + std::to_string(services_.shared->batch);
    return {};
  }

  /// Opens a network that gives no plain vectors. @return which signal it gives, and of whose vectors
  Result<KnownJudge> OpenJudge() {
    const ContentDigest digest = TRY(DigestOfModel(path_));
    const bool scores = request_.task == ModelTask::kScore;
    std::string clip;
    if (!request_.clip.empty()) {
      const ContentDigest its = TRY(DigestOfModel(request_.clip));
      clip = " " + its.Hex();
    }
    const std::string fact = (scores ? kScoreFact : kCompareFact) + clip;
    KnownJudge known;
    if (!Unpack(services_.catalog->FindFact(digest, fact), known)) {
      TRY(Load());
      const ModelInfo& info = model_->info();
      info.score.copy(known.signal.data(), known.signal.size() - 1);
      // A head's digest names its CLIP's.
      known.on_clip = info.digest.find(" on ") != std::string::npos;
      known.input = info.input.value_or(ModelInput{});
      TRY(services_.catalog->PutFact(digest, fact, Packed(known)));
    }
    input_ = known.input;
    says_ = true;
    // Only a head on CLIP's vectors has anything to do with that file.
    if (!known.on_clip) request_.clip.clear();
    kind_ = (scores ? "score/1 " : "compare/1 ") + digest.Hex() + (request_.clip.empty() ? "" : clip) + " " +
            input_.Describe() + " float32";
    if (services_.shared->batch > 0) kind_ += " batch=" + std::to_string(services_.shared->batch);
    return known;
  }

  const std::string& kind() const override { return kind_; }
  int dimension() const override { return model_ ? model_->info().dimension : 0; }
  /// Half as large again in each direction would do for TorchScript; twice leaves the filter something to
  /// average. Published weights have vectors that others compute too: of the whole image.
  int shrink_to_side() const override { return says_ ? 0 : 2 * input_.side; }
  size_t PooledBytes(const Layout& input) const override {
    const auto squares = static_cast<size_t>(input_.Squares());
    const size_t of_each = squares > 1 ? squares * static_cast<size_t>(dimension()) : 0;
    return ModelImage::PooledBytes(input_, input) +
           (ModelEmbedding::InputFloats(input_) + of_each) * (1 + poses().size()) * sizeof(float);
  }
  std::unique_ptr<ImageEmbedding> Start(const Layout& input) override {
    return std::make_unique<ModelEmbedding>(input_, input, *scheduler_);
  }

  bool OfLengthOne() const override { return request_.task == ModelTask::kEmbed; }

  Status Prepare() override {
    if (scheduler_ != nullptr) return {};
    if (model_ == nullptr) TRY(Load());
    NumericsPlan plan = model_->Plan(services_.memory->device(0).name());
    if (services_.shared->batch > 0) plan.micro_batch = services_.shared->batch;
    const ModelInfo& info = model_->info();
    const std::string gives = request_.task == ModelTask::kScore
                                  ? "signal " + info.score
                                  : "vectors of " + std::to_string(info.dimension);
    services_.log(LogLevel::kInfo, info.architecture + ", " + gives + ", " + plan.Describe());
    services_.memory->Rebaseline();  // weights and LibTorch are in memory now: nobody's lease
    std::unique_ptr<BatchScheduler> scheduler =
        TRY(BatchScheduler::Open(*model_, plan, input_.side, *services_.memory, *services_.stop));
    scheduler_ = std::move(scheduler);
    return {};
  }

  void Describe(JsonObject& details) const override {
    details["model"] = PrintablePath(path_);
    details["input"] = input_.Describe();
  }

 private:
  Status Load() {
    ModelRuntime* runtime = TRY(services_.OpenModels());
    if (!request_.clip.empty()) {
      TRY(runtime->Prepare(path_));  // beside what it opens
      TRY(RoomForModel(services_, request_.clip));
    }
    std::string purpose = "compare";
    if (request_.task == ModelTask::kScore) purpose = "score " + request_.clip;
    if (request_.task == ModelTask::kEmbed)
      purpose = "embed " + std::to_string(request_.side) + request_.activation;
    Result<std::shared_ptr<EmbeddingModel>> loaded = LoadGuarded<EmbeddingModel>(
        services_, path_, purpose, [&] { return runtime->LoadEmbedder(path_, request_); });
    if (!loaded) return loaded.error();
    model_ = *std::move(loaded);
    return {};
  }

  const std::string path_;
  EmbedderRequest request_;
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
  auto embedder = std::make_unique<ModelEmbedder>(
      options.model, EmbedderRequest{.side = options.input_size, .activation = options.activation}, services);
  TRY(embedder->Open(options));
  return std::unique_ptr<Embedder>(std::move(embedder));
}

Result<Scorer> MakeScorer(const std::string& path, const std::string& clip, const CommandServices& services) {
  auto network = std::make_unique<ModelEmbedder>(
      path, EmbedderRequest{.task = ModelTask::kScore, .clip = clip}, services);
  const KnownJudge judge = TRY(network->OpenJudge());
  const Signal signal = TRY(SignalFromName(judge.signal.data()));
  return Scorer{path, signal, judge.on_clip, std::move(network)};
}

Result<std::unique_ptr<Embedder>> MakeComparer(const std::string& path, const CommandServices& services) {
  auto network =
      std::make_unique<ModelEmbedder>(path, EmbedderRequest{.task = ModelTask::kCompare}, services);
  TRY(network->OpenJudge());
  return std::unique_ptr<Embedder>(std::move(network));
}

}  // namespace imgmill
