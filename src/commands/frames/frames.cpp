// The frames command: checks its options, runs the operation, sums up.
#include "imgmill/commands/frames.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "base/try.h"
#include "frames_operation.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "imgmill/commands/steps_before.h"

namespace imgmill {
namespace {

constexpr char kFormats[] = "png, jpg, webp, tiff, jxl or avif";
constexpr char kManifest[] = "frames.jsonl";

/// Workers that would have nothing to do decode, too. @param files  0: not known
int ThreadsOfOne(uint64_t files, int workers) {
  constexpr int kMost = 16;  // more give nothing, as FFmpeg's own default has it
  if (files == 0 || files >= static_cast<uint64_t>(workers)) return 1;
  return std::min(workers / static_cast<int>(files), kMost);
}

class FramesRun final : public CommandRun {
 public:
  FramesRun(const FramesOptions& frames, std::string manifest_path, const CommandServices& services,
            std::unique_ptr<OutputManifest> manifest, int video_threads)
      : CommandRun(services, frames.output),
        frames_(frames),
        manifest_path_(std::move(manifest_path)),
        manifest_(std::move(manifest)),
        operation_(frames, services, manifest_.get(), video_threads) {
    options.mode = services.shared->mode;
  }
  Operation& operation() override { return operation_; }
  std::vector<size_t> TakeForeseen() override { return operation_.earlier().TakeForeseen(); }

  Result<CommandResult> Reduce(CommandResult result) override {
    const RunCounts& counts = result.counts;
    result.kept = operation_.written();
    result.kept_images = counts.done + counts.skipped;
    result.details["frames"] = operation_.frames();
    if (options.mode != RunMode::kRun) {
      result.text = operation_.preview().Text();
      result.ahead = operation_.preview().prospect();
      result.summary = "dry run: those of " + std::to_string(operation_.preview().count()) +
                       " would be written to " + PrintablePath(frames_.output) + ", largest lease " +
                       FormatByteSize(operation_.preview().largest_lease());
      TellEarlier(result);
      TRY(operation_.stale().Tell(frames_.output, frames_.prune, result));
      return result;
    }
    result.summary = Count(operation_.frames()) + " in " + PrintablePath(frames_.output);
    if (counts.skipped > 0)
      result.summary += ", those of " + std::to_string(counts.skipped) + " were finished already";
    TellEarlier(result);
    if (counts.interrupted) return result;  // the list is no whole one: the rerun writes it
    // The list is written whatever comes of that, and behind it: it leaves out what was removed.
    const Status told = operation_.stale().Tell(frames_.output, frames_.prune, result);
    TRY(result.failed.ForEach([&](const FailedItem& item) {
      manifest_->Failed(item.path);
      return Status();
    }));
    const KeptOutputs kept = TRY(manifest_->Finish());
    TellKept(kept, "frame", "frames", result);
    result.details["manifest"] = PrintablePath(manifest_path_);
    result.text = WholeText(PrintablePath(manifest_path_) + "\n");
    if (!told) return told.error();
    return result;
  }

 private:
  void TellEarlier(CommandResult& result) { operation_.earlier().Tell("of other choices", result); }
  static std::string Count(uint64_t frames) { return Counted(frames, "frame"); }

  const FramesOptions& frames_;
  const std::string manifest_path_;
  std::unique_ptr<OutputManifest> manifest_;
  FramesOperation operation_;
};

class Frames final : public Command, public ChecksAhead {
 public:
  explicit Frames(Flags& flags) {
    flags.Footer(
        "Example:\n"
        "  imgmill frames holiday.mp4 -o frames --every-seconds 2 --format jpg\n"
        "  imgmill frames videos -o scenes --scene-change 0.3\n"
        "  imgmill frames animations -o frames --every 5\n"
        "  imgmill frames scans.tif -o pages");
    flags.Add("-o,--output", options_.output, "Folder for the frames and frames.jsonl; sub-folders are kept")
        .Type("DIR");
    flags.Add("--every", options_.every, "Only every N-th frame, starting with the first")
        .ShowDefault()
        .Type("N");
    flags
        .Add("--every-seconds", options_.every_seconds,
             "Of those, one in so many seconds of the file's time [all]")
        .Type("T");
    flags
        .Add("--scene-change", options_.scene_change,
             "Of those, the first, and each that differs from the one before by more (0 to 1; cuts: 0.3)")
        .Type("X");
    flags
        .Add("--novelty", options_.novelty,
             "Of those, each that looks farther from all kept ones of its file (0 to 2; like: 0.05)")
        .Type("X");
    flags
        .Add("--chroma-siting", options_.chroma_siting,
             "Where a video's colour samples lie: centre (as ffmpeg 5 has it) or file (as it says)")
        .ShowDefault()
        .Type("NAME")
        .Words({"centre", "file"});
    flags.AddSwitch("--prune", options_.prune,
                    "Remove frames that earlier runs have made of the same files, or of such as are gone");
    options_.file.AddFlags(flags, kFormats);
  }

  std::optional<std::string> Check() const override { return options_.Check(); }
  bool works_image_by_image() const override { return true; }
  std::string output_folder() const override { return options_.output; }
  bool reads_videos() const override { return true; }
  void set_output_folder(const std::string& folder) override { options_.output = folder; }
  std::string output_ending() const override {
    return std::string(Extension(options_.file.Writing().format));
  }
  Status MayWrite(const CommandServices& services, const StepsBefore& before) const override {
    if (services.shared->mode == RunMode::kRun && before.are_now()) return {};  // Begin reads the whole list
    return OutputManifest::MayOpen(kFrameManifest, ManifestPath(), services.shared->force);
  }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource& source, const CommandServices& services) override {
    const SharedOptions& shared = *services.shared;
    std::unique_ptr<OutputManifest> manifest;
    if (shared.mode == RunMode::kRun) {
      std::unique_ptr<OutputManifest> opened =
          TRY(OutputManifest::Open(kFrameManifest, ManifestPath(), shared.force));
      manifest = std::move(opened);
    }
    return std::unique_ptr<CommandRun>(
        std::make_unique<FramesRun>(options_, ManifestPath(), services, std::move(manifest),
                                    ThreadsOfOne(source.Expected(), services.workers())));
  }

 private:
  std::string ManifestPath() const { return options_.output + "/" + kManifest; }

  FramesOptions options_;
};

}  // namespace

std::optional<std::string> FramesOptions::Check() const {
  if (output.empty()) return "an output folder is needed: -o DIR";
  if (every < 1) return "--every takes 1 or more";
  constexpr double kMostSeconds = 1e6;
  if (every_seconds && !(*every_seconds >= 1e-6 && *every_seconds <= kMostSeconds))
    return "--every-seconds takes a number above 0, up to 1000000";
  if (scene_change && !(*scene_change >= 0 && *scene_change <= 1)) return "--scene-change takes 0 to 1";
  if (novelty && !(*novelty >= 0 && *novelty <= 2)) return "--novelty takes 0 to 2";
  if (chroma_siting != "centre" && chroma_siting != "file")
    return "unknown --chroma-siting \"" + PrintablePath(chroma_siting) + "\" (centre or file)";
  return file.Check(kFormats);
}

std::unique_ptr<Command> AddFrames(Flags& flags) {
  return std::make_unique<Frames>(flags);
}

}  // namespace imgmill
