// The upscale command: checks its options, opens model or kernel, runs the operation, sums up.
#include "imgmill/commands/upscale.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "commands/model_loading.h"
#include "commands/precision.h"
#include "commands/readable_file.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/spelling.h"
#include "imgmill/commands/flags.h"
#include "imgmill/commands/steps_before.h"
#include "imgmill/image/kernel_names.h"
#include "upscale_operation.h"

namespace imgmill {
namespace {

/// Understood, but never suggested.
constexpr char kLanczos[] = "lanczos";

constexpr char kFormats[] = "png, jpg, webp, tiff, jxl or avif";
constexpr char kScaleRange[] = "takes a factor above 0, up to 64";

/// Models that are loaded with different ones are not the same.
std::string PurposeOf(const UpscalerRequest& request) {
  std::string purpose = "upscale x" + std::to_string(request.scale);
  if (request.noise_level) purpose += " noise " + std::to_string(*request.noise_level);
  return purpose;
}

/// What both ways sum up alike.
class UpscaleRun : public CommandRun {
 public:
  UpscaleRun(const UpscaleOptions& upscale, const CommandServices& services)
      : CommandRun(services, upscale.output), upscale_(upscale) {
    options.mode = services.shared->mode;
    alone = !upscale.sidecars.empty();  // nobody else asks for these
  }
  UpscaleOperation& operation() override = 0;
  std::vector<size_t> TakeForeseen() override { return operation().foreseen().Take(); }

  Result<CommandResult> Reduce(CommandResult result) override {
    const RunCounts& counts = result.counts;
    result.kept = operation().written();
    result.kept_images = result.kept.size();
    if (options.mode != RunMode::kRun) {
      result.kept_images += operation().preview().count();
      result.ahead = operation().preview().prospect();
      result.text = operation().preview().Text();
      result.summary = "dry run: " + std::to_string(counts.done) + " would be written to " +
                       PrintablePath(upscale_.output) + ", largest lease " +
                       FormatByteSize(operation().preview().largest_lease());
    } else {
      result.details.SetRows("outputs", PathsOf(result.kept));
      result.text = [files = result.kept](const TextSink& put) {
        return files.ForEach([&](const ListedFile& file) { return put(PrintablePath(file.path) + "\n"); });
      };
      result.summary = std::to_string(counts.done) + " written to " + PrintablePath(upscale_.output);
    }
    if (counts.skipped > 0) {
      result.summary += ", " + Counted(counts.skipped, "was finished already", "were finished already");
    }
    operation().TellSidecars(result.counts);
    Describe(result.details);
    return result;
  }

 protected:
  virtual void Describe(JsonObject& details) const = 0;
  const UpscaleOptions& upscale_;
};

class ResizeRun final : public UpscaleRun {
 public:
  ResizeRun(const UpscaleOptions& upscale, const CommandServices& services)
      : UpscaleRun(upscale, services), operation_(upscale, services) {}
  UpscaleOperation& operation() override { return operation_; }

 private:
  void Describe(JsonObject& details) const override { details["method"] = upscale_.method; }

  ResizeOperation operation_;
};

class ModelRun final : public UpscaleRun {
 public:
  ModelRun(const UpscaleOptions& upscale, const CommandServices& services,
           std::shared_ptr<UpscaleModel> model, const NumericsPlan& plan,
           std::unique_ptr<BatchScheduler> scheduler)
      : UpscaleRun(upscale, services),
        model_(std::move(model)),
        plan_(plan),
        scheduler_(std::move(scheduler)),
        operation_(upscale, services, *model_, plan_, *scheduler_) {}
  UpscaleOperation& operation() override { return operation_; }

 private:
  void Describe(JsonObject& details) const override {
    details["model"] = PrintablePath(upscale_.model);
    details["architecture"] = model_->info().architecture;
    details["plan"] = plan_.Describe();
  }

  std::shared_ptr<UpscaleModel> model_;
  const NumericsPlan plan_;
  std::unique_ptr<BatchScheduler> scheduler_;
  ModelOperation operation_;
};

class Upscale final : public Command, public ChecksAhead {
 public:
  explicit Upscale(Flags& flags);

  std::optional<std::string> Check() const override { return options_.Check(); }
  std::string output_folder() const override { return options_.output; }
  bool works_image_by_image() const override { return true; }
  std::optional<uint64_t> PassesOn(uint64_t images) const override { return images; }
  std::string weight_file() const override { return options_.model; }
  void set_output_folder(const std::string& folder) override { options_.output = folder; }
  std::string output_ending() const override {
    return std::string(Extension(options_.file.Writing().format));
  }
  Status MayRead(const CommandServices& services, const StepsBefore&) const override {
    return options_.model.empty() ? Status() : MayBeWeights(services, options_.model);
  }
  /// Its files have the names of those that it is given.
  Status MayWrite(const CommandServices&, const StepsBefore& before) const override {
    if (!before.GiveFilesOf(options_.output) || before.given_ending != output_ending()) return {};
    return UsageError("--output " + PrintablePath(options_.output) +
                      " is the folder of the images themselves, which " + before.given_by +
                      " makes: name another");
  }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource&, const CommandServices& services) override {
    if (options_.method == kLanczos) options_.method = "lanczos3";
    if (!options_.model.empty()) return BeginModel(services);
    return std::unique_ptr<CommandRun>(std::make_unique<ResizeRun>(options_, services));
  }

 private:
  Result<std::unique_ptr<CommandRun>> BeginModel(const CommandServices& services) const;

  UpscaleOptions options_;
};

Result<std::unique_ptr<CommandRun>> Upscale::BeginModel(const CommandServices& services) const {
  const SharedOptions& shared = *services.shared;
  ModelRuntime* runtime = TRY(services.OpenModels());
  const UpscalerRequest request = {static_cast<int>(options_.scale), options_.noise_level};
  Result<std::shared_ptr<UpscaleModel>> loaded =
      LoadGuarded<UpscaleModel>(services, options_.model, PurposeOf(request),
                                [&] { return runtime->LoadUpscaler(options_.model, request); });
  if (!loaded) return loaded.error();
  std::shared_ptr<UpscaleModel> model = *std::move(loaded);
  const ModelInfo& info = model->info();
  if (options_.scale > 0 && options_.scale != info.scale) {
    return UsageError("--scale does not fit: this model enlarges " + std::to_string(info.scale) + " times");
  }
  if (options_.noise_level && !info.takes_noise_level) {
    return UsageError("--noise-level does not fit: " + info.architecture +
                      " is not told how strong the noise is");
  }
  NumericsPlan plan = model->Plan(services.memory->device(0).name());
  if (options_.tile > 0 && plan.tile > 0) {
    const int grid = std::max(1, info.tile_grid);
    plan.tile = (options_.tile + grid - 1) / grid * grid;
  }
  if (shared.batch > 0) plan.micro_batch = shared.batch;
  Precision precision = TRY(ChoosePrecision(services, options_.model, *model, plan, options_.precision));
  plan.precision = precision;
  services.log(LogLevel::kInfo,
               info.architecture + " x" + std::to_string(info.scale) + ", " + plan.Describe());

  // Weights, and LibTorch if it is needed, are in memory now: what they hold is nobody's lease.
  services.memory->Rebaseline();
  std::unique_ptr<BatchScheduler> scheduler = TRY(BatchScheduler::Open(
      *model, plan, LargestTile(plan), *services.memory, *services.stop, BytesOfOneTile(plan, info.scale)));
  return std::unique_ptr<CommandRun>(
      std::make_unique<ModelRun>(options_, services, std::move(model), plan, std::move(scheduler)));
}

Upscale::Upscale(Flags& flags) {
  flags.Footer(
      "Example:\n"
      "  imgmill upscale photos -o large --model realesr-animevideov3-x4.safetensors --memory 1GiB\n"
      "  imgmill upscale photos -o large --method lanczos3 --scale 2\n"
      "  imgmill upscale HQ -o LQ --method cubic --scale 0.25 --crop     partners for tile --pair "
      "--crop-pairs");
  flags.Add("-o,--output", options_.output, "Folder for the enlarged images; sub-folders are kept")
      .Type("DIR");
  flags.Add("--model", options_.model, "Weight file: .safetensors, .pth or .pt; or own:NAME")
      .ModelFile()
      .Type("FILE");
  flags
      .Add("--method", options_.method,
           "Without a model: nearest, linear, cubic, mitchell, lanczos2, lanczos3")
      .Words(kKernelNames)
      .Type("NAME");
  const auto scale = [this](double factor) -> std::optional<std::string> {
    if (factor == 0) return kScaleRange;  // it would count as not given
    options_.scale = factor;
    return std::nullopt;
  };
  flags.AddChecked<double>("--scale", scale, "Output pixels for each input pixel [the model's own, or 2]")
      .Type("FACTOR");
  flags.AddSwitch(
      "--crop", options_.crop,
      "With --scale 0.5, 0.25 and so on: leave out the last columns and rows that would fill no whole "
      "pixel, as tile --crop-pairs expects it");
  const auto noise_level = [this](double level) -> std::optional<std::string> {
    options_.noise_level = level;
    return std::nullopt;
  };
  flags
      .AddChecked<double>("--noise-level", noise_level,
                          "Noise that DRUNet and FDnCNN are told, of 255 [what the file says, or 15]")
      .Type("SIGMA");
  flags.Add("--tile", options_.tile, "Side of a model's tiles in input pixels [the model's plan]")
      .Type("PIXELS");
  flags
      .Add("--precision", options_.precision,
           "What a GPU computes in: auto (half, if that cannot be seen), float32, half")
      .Words(kPrecisions)
      .ShowDefault()
      .Type("NAME");
  flags
      .Add("--sidecars", options_.sidecars,
           "Files beside an image, such as '*.txt', to be copied beside its output")
      .SplitAtCommas()
      .Type("PATTERN,...");
  options_.file.AddFlags(flags, kFormats);
}

}  // namespace

int UpscaleOptions::Divisor() const {
  if (!(scale > 0) || scale > 1) return 0;
  const double divisor = std::round(1 / scale);
  return std::abs(divisor * scale - 1) <= 1e-3 ? static_cast<int>(divisor) : 0;
}

std::optional<std::string> UpscaleOptions::Check() const {
  if (output.empty()) return "an output folder is needed: -o DIR";
  if (model.empty() == method.empty()) {
    return "give either --model FILE or --method NAME (nearest, linear, cubic, mitchell, lanczos2, lanczos3)";
  }
  if (!method.empty() && method != kLanczos &&
      std::find(kKernelNames.begin(), kKernelNames.end(), method) == kKernelNames.end()) {
    std::string text = "unknown method \"" + method + "\"";
    if (const auto guess = DidYouMean(method, kKernelNames)) text += "; did you mean \"" + *guess + "\"?";
    return text;
  }
  if (!model.empty()) {
    if (auto wrong = CheckReadable(model, "weight file")) return wrong;
  }
  if (!(scale >= 0 && scale <= 64)) return "--scale " + std::string(kScaleRange);
  if (!model.empty() && scale != std::floor(scale)) return "--scale takes a whole number with --model";
  if (crop && (!model.empty() || Divisor() < 2))
    return "--crop goes with --method and a --scale of one half, a third (0.333), a quarter and so on";
  if (std::find(kPrecisions.begin(), kPrecisions.end(), precision) == kPrecisions.end())
    return "unknown --precision \"" + PrintablePath(precision) + "\": it takes auto, float32 or half";
  if (model.empty() && precision != kPrecisions[0]) return "--precision is for --model";
  if (noise_level && !(*noise_level >= 0 && *noise_level <= 255))
    return "--noise-level takes a standard deviation from 0 to 255";
  if (noise_level && model.empty()) return "--noise-level is for --model";
  if (tile != 0 && (tile < 32 || tile > 4096)) return "--tile takes 32 to 4096 pixels (0: as the plan says)";
  if (auto wrong = SidecarFinder::Check(sidecars)) return wrong;
  return file.Check(kFormats);
}

std::unique_ptr<Command> AddUpscale(Flags& flags) {
  return std::make_unique<Upscale>(flags);
}

}  // namespace imgmill
