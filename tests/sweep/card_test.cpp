// Commands with real models on a card made of host memory: whatever its budget, its neighbours and its
// errors, every image is done, with the bytes of the CPU, and the budget is kept, the driver's context
// included.
#include <doctest/doctest.h>

#include <cstring>
#include <utility>

#include "engine/stand_in_card.h"
#include "imgmill/memory/out_of_memory.h"
#include "sweep/command_run.h"

using namespace imgmill;
using engine_test::StandInCard;

namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kPage = 4096;  ///< the most that a buffer takes beyond what it holds

/// What a card does to the work on it.
struct Trouble {
  size_t budget = 0;
  size_t neighbour = 0;
  std::string error = {};  ///< of each batch on the card
  int error_from = 0;      ///< the first batch that has it
  size_t comes_later = 0;  ///< the neighbour after the fifth batch
};

/// A real model whose batches on the card take memory of the card, as LibTorch's tensors would, and are
/// computed by the CPU's kernels, so that the right bytes are known.
template <typename Model>
class OnCard final : public Model {
 public:
  OnCard(std::unique_ptr<Model> real, MemoryManager& memory, StandInCard& card, const Trouble& trouble)
      : real_(std::move(real)), memory_(memory), card_(card), trouble_(trouble) {}

  const ModelInfo& info() const override { return real_->info(); }
  NumericsPlan Plan(const std::string&) const override {
    NumericsPlan plan = real_->Plan("cpu");
    plan.micro_batch = 4;
    return plan;
  }
  BatchCost Cost(int n, int height, int width, WorkPlace place) const override {
    if (place == kCpuRung) return real_->Cost(n, height, width, place);
    BatchCost cost;
    cost.bytes = kPage + 16 * kMiB + static_cast<size_t>(n) * static_cast<size_t>(height * width) * 2048;
    cost.exact = real_->Cost(n, height, width, kCpuRung).exact;
    return cost;
  }
  Result<std::unique_ptr<ModelStream>> OpenStream(WorkPlace place, Precision) override {
    auto real = real_->OpenStream(kCpuRung);
    if (!real) return real.error();
    return std::unique_ptr<ModelStream>(std::make_unique<Stream>(*this, *std::move(real), place));
  }

 private:
  struct Stream final : ModelStream {
    Stream(OnCard& model_in, std::unique_ptr<ModelStream> real_in, WorkPlace place_in)
        : model(model_in), real(std::move(real_in)), place(place_in) {}
    Status Run(std::span<const BatchImage> pictures, int n, int height, int width) override {
      Buffer work;
      if (place.IsDevice()) {
        if (Status trouble = model.BeginBatch(); !trouble) return trouble;
        try {
          work = Buffer(*model.memory_.device(place.device()).pool(),
                        model.Cost(n, height, width, place).bytes - kPage);
        } catch (const OutOfMemory& refusal) {
          return Error{Stage::kCompute, Code::kOutOfMemory, refusal.what()};
        }
      }
      return real->Run(pictures, n, height, width);
    }
    OnCard& model;
    const std::unique_ptr<ModelStream> real;
    const WorkPlace place;
  };

  /// What the next batch on the card ends with.
  Status BeginBatch() {
    const int batch = batches_++;
    if (batch == 5 && trouble_.comes_later > 0) card_.SetNeighbour(trouble_.comes_later);
    if (!trouble_.error.empty() && batch >= trouble_.error_from)
      return Error{Stage::kCompute, Code::kModelError, trouble_.error};
    return {};
  }

  std::unique_ptr<Model> real_;
  MemoryManager& memory_;
  StandInCard& card_;
  const Trouble trouble_;
  std::atomic<int> batches_{0};
};

class CardRuntime final : public ModelRuntime {
 public:
  CardRuntime(MemoryManager& memory, const Trouble& trouble) : memory_(memory), trouble_(trouble) {
    auto real = OpenModelRuntime(memory, 2);
    REQUIRE_MESSAGE(real.ok(), (real ? "" : real.error().message));
    real_ = *std::move(real);
    StandInCard::Facts facts;
    facts.total = 2048 * kMiB;
    facts.context = 520 * kMiB;
    facts.forecast = 540 * kMiB;
    auto card = std::make_unique<StandInCard>("cuda:0", facts);
    card_ = card.get();
    card_->SetNeighbour(trouble.neighbour);
    memory.AddDevice(std::move(card), trouble.budget);
  }
  std::string version() const override { return real_->version(); }
  Result<int> AddDevices(const std::string&, size_t) override { return 1; }
  void TakeOver(const std::vector<HostDevice>& devices) override { real_->TakeOver(devices); }
  Result<std::unique_ptr<UpscaleModel>> LoadUpscaler(const std::string& path,
                                                     const UpscalerRequest& request) override {
    auto loaded = real_->LoadUpscaler(path, request);
    if (!loaded) return loaded.error();
    return std::unique_ptr<UpscaleModel>(
        std::make_unique<OnCard<UpscaleModel>>(*std::move(loaded), memory_, *card_, trouble_));
  }
  Result<std::unique_ptr<BatchModel>> LoadToLook(const std::string& path) override {
    return real_->LoadToLook(path);
  }
  KnownArchitectures Known() override { return real_->Known(); }
  Result<std::unique_ptr<EmbeddingModel>> LoadEmbedder(const std::string& path,
                                                       const EmbedderRequest& request) override {
    auto loaded = real_->LoadEmbedder(path, request);
    if (!loaded) return loaded.error();
    return std::unique_ptr<EmbeddingModel>(
        std::make_unique<OnCard<EmbeddingModel>>(*std::move(loaded), memory_, *card_, trouble_));
  }
  Result<std::unique_ptr<TextModel>> LoadTextTower(const std::string& path,
                                                   const EmbedderRequest& request) override {
    return real_->LoadTextTower(path, request);
  }

 private:
  MemoryManager& memory_;
  const Trouble trouble_;
  std::unique_ptr<ModelRuntime> real_;
  StandInCard* card_ = nullptr;
};

struct Made {
  InProcessResult run;
  std::vector<std::string> digests;
  const MemoryInfo::NamedDevice& card() const { return run.memory.devices[0]; }
};

Made Make(InProcessRun run, const std::string& output, const std::optional<Trouble>& trouble) {
  MakeEmpty(output);
  if (trouble) {
    run.runtime = [&](MemoryManager& memory) -> std::unique_ptr<ModelRuntime> {
      return std::make_unique<CardRuntime>(memory, *trouble);
    };
  }
  Made made;
  made.run = RunInProcess(run);
  REQUIRE_MESSAGE(made.run.error.empty(), made.run.error);
  CHECK(made.run.result.counts.failed == 0);
  CHECK(made.run.result.counts.done == run.files.size());
  CHECK(made.run.leaked == 0);
  made.digests = FolderDigests(output);
  if (trouble) CHECK(made.card().stats.peak_held <= made.card().budget);
  return made;
}

void ComesThrough(const InProcessRun& run, const std::string& output) {
  const Made cpu = Make(run, output, std::nullopt);
  REQUIRE(!cpu.digests.empty());
  const Made undisturbed = Make(run, output, Trouble());
  CHECK(undisturbed.digests == cpu.digests);
  CHECK(undisturbed.run.result.counts.off_plan == 0);
  CHECK(undisturbed.card().stats.peak_held > 520 * kMiB);

  for (const size_t budget : {256 * kMiB, 512 * kMiB, 1024 * kMiB}) {
    CAPTURE(budget / kMiB);
    const Made made = Make(run, output, Trouble{.budget = budget});
    CHECK(made.digests == cpu.digests);
    CHECK(made.card().budget == budget);
    // The context alone is more than the first two.
    CHECK((made.card().stats.peak_held == 0) == (budget < 520 * kMiB));
  }
  for (const size_t left : {700 * kMiB, 200 * kMiB, 50 * kMiB}) {
    CAPTURE(left / kMiB);
    CHECK(Make(run, output, Trouble{.neighbour = 2048 * kMiB - left}).digests == cpu.digests);
    // As much as is left beside the context, which is there already.
    const size_t later = 2048 * kMiB - 520 * kMiB - std::min(left, 200 * kMiB);
    CHECK(Make(run, output, Trouble{.comes_later = later}).digests == cpu.digests);
  }
  const std::string text = "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR";
  for (const int from : {0, 1}) {
    const Made made = Make(run, output, Trouble{.error = text, .error_from = from});
    CHECK(made.digests == cpu.digests);
    CHECK_FALSE(made.card().lost);
    REQUIRE(made.card().errors.size() == 1);
    CHECK(made.card().errors[0].text == text);
    CHECK(made.run.result.counts.off_plan > 0);
  }
}

}  // namespace

TEST_CASE("upscale on a card with too small a budget, neighbours and errors of its own") {
  const std::string model = ModelFile();
  if (IsMissing(model)) return;
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "upscale";
  run.files = SampleFiles({"icon_tiny.png", "badge_alpha.png"});
  run.arguments = {"-o", scratch / "out", "--model", model, "--tile", "64"};
  run.jobs = 2;
  ComesThrough(run, scratch / "out");
}

TEST_CASE("embed on a card with too small a budget, neighbours and errors of its own") {
  const std::string network = NetworkFile();
  if (IsMissing(network)) return;
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "embed";
  run.files = SampleFiles({"icon_tiny.png", "badge_alpha.png", "windmill_exif6.jpg", "clock.jpg"});
  run.arguments = {"--export", scratch / "out/v.npy", "--model", network, "--scale", "1/127.5", "--shift",
                   "-1"};
  run.jobs = 2;
  ComesThrough(run, scratch / "out");
}
