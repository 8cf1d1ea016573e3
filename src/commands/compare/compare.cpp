// The compare command: checks its options, finds the pairs, runs the operation, sums up.
#include "imgmill/commands/compare.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "archive/archive_path.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "commands/choice.h"
#include "commands/embed/embedder.h"
#include "commands/export_target.h"
#include "commands/paired_source.h"
#include "commands/readable_file.h"
#include "compare_operation.h"
#include "compare_page.h"
#include "compare_tables.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "imgmill/commands/steps_before.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/image/kernel_names.h"

namespace imgmill {
namespace {

class Compare final : public Command, public ChecksAhead {
 public:
  explicit Compare(Flags& flags);

  std::optional<std::string> Check() const override { return options_.Check(); }

  /// The last of several paths is what the others are compared with.
  std::optional<std::string> TakePaths(ListOptions& list) override {
    const bool others = list.paths.size() > 1 || !list.files_from.empty();
    if (options_.pair.empty() && !list.paths.empty() && others) {
      options_.pair = list.paths.back();
      list.paths.pop_back();
    }
    if (options_.pair.empty() || HoldsFiles(options_.pair)) return std::nullopt;
    if (list.paths.size() == 1 && list.files_from.empty() && !HoldsFiles(list.paths.front()))
      return std::nullopt;
    return NoPartners();
  }

  Status MayRead(const CommandServices& services, const StepsBefore& before) const override {
    if (!options_.lpips.empty()) TRY(MayBeWeights(services, options_.lpips));
    struct stat there {};
    if (StatPath(options_.pair, &there) == 0 || before.MayMake(options_.pair)) return {};
    return UsageError(NoPartners());
  }
  Status MayWrite(const CommandServices&, const StepsBefore& before) const override {
    TRY(MayExport("--csv", options_.csv, WrittenAs::kTable, before));
    return MayExport("--html", options_.html, WrittenAs::kPage, before);
  }
  std::vector<std::string> named_files() const override {
    return options_.csv.empty() ? std::vector<std::string>() : std::vector<std::string>{options_.csv};
  }
  Result<std::unique_ptr<CommandRun>> Begin(ItemSource& source, const CommandServices& services) override;

 private:
  class CompareRun;

  std::string NoPartners() const {
    if (options_.pair == "-")
      return "an archive on stdin (-) can be the images, not what they are compared with: imgmill compare - "
             "FOLDER";
    return PrintablePath(options_.pair) + (IsGone(options_.pair) ? " does not exist" : " is no folder") +
           ": name one file to compare with one image, or a folder that holds a partner for "
           "each";
  }

  CompareOptions options_;
};

class Compare::CompareRun final : public CommandRun {
 public:
  CompareRun(const CompareOptions& asked, ComparePlan plan, const CommandServices& services,
             std::unique_ptr<LpipsNetwork> lpips, std::optional<PairIndex> pairs, ItemSource& given)
      : CommandRun(services),
        asked_(asked),
        plan_(std::move(plan)),
        services_(services),
        lpips_(std::move(lpips)),
        pairs_(std::move(pairs)),
        page_(plan_),
        operation_(
            asked_, plan_, services, lpips_.get(), pairs_ ? &*pairs_ : nullptr,
            [this](const PairEntry& entry, const PairPictureFiles& pictures) { Take(entry, pictures); }) {
    options.mode = services.shared->mode;
    if (lpips_ != nullptr) options.workers = ModelWorkers(services);
    alone = true;  // nobody else asks for partners
    if (pairs_)
      source =
          PairedSource(given, {&*pairs_}, NamesWholeFolders(given, services.shared->list), *services.stop);
  }
  Operation& operation() override { return operation_; }

  Result<CommandResult> Reduce(CommandResult result) override {
    if (Judges()) {
      result.dropped = sums_.broken;
      result.kept_images = result.counts.done - std::min(result.counts.done, sums_.broken);
      TRY(Mark(result));
    }
    if (options.mode != RunMode::kRun) {
      TellPreview(result);
      return result;
    }
    TRY(WarnOfAlpha());
    if (lpips_ != nullptr) lpips_->Describe(result.details);
    AddPairs(result.details, entries_, plan_, sums_);
    result.text = PairsText(entries_, plan_, sums_);
    if (sums_.pairs > 0) result.summary = Summary();
    result.findings = sums_.broken > 0;
    TRY(WriteFiles(result));
    return result;
  }

 private:
  /// A dry run does not, but for a pipeline's steps, of which it is asked what they would keep.
  bool Judges() const { return options.mode == RunMode::kRun || services_.in_pipeline; }

  /// Which images are kept and which are not, as far as their figures are there.
  Status Mark(CommandResult& result) {
    return entries_.ForEach([&](const PairEntry& entry) {
      const PairFigures& figures = entry.measured.figures;
      if (plan_.BrokenBy(figures)) {
        result.MarkDropped(services_, entry.file, [&] { return plan_.Why(figures); });
      } else if (services_.in_pipeline) {
        result.kept.Add(entry.file);
      }
      return Status();
    });
  }

  /// Of pairs that would be compared. Figures that are known are a run's to tell, and its findings, too.
  void TellPreview(CommandResult& result) const {
    const DryRunLines& preview = operation_.preview();
    result.text = preview.Text();
    result.summary = "dry run: " + std::to_string(preview.count()) + " would be compared, largest lease " +
                     FormatByteSize(preview.largest_lease());
    if (sums_.pairs == 0) return;
    result.details["known"] = sums_.pairs;
    result.summary += "; the figures of " + std::to_string(sums_.pairs) + " are known already";
  }

  void Take(const PairEntry& entry, const PairPictureFiles& pictures) {
    sums_.Add(plan_, entry);
    entries_.Add(entry);
    if (!asked_.html.empty()) page_.Add(entry, pictures);
    if (!services_.put_line || !Judges()) return;
    JsonObject line;
    line["event"] = "pair";
    line.Append(PairJson(entry, plan_));
    services_.put_line(std::move(line));
  }

  /// Of pairs that keep all limits though they differ in what no limit looks at.
  Status WarnOfAlpha() const {
    constexpr uint64_t kMostNamed = 10;
    uint64_t missed = 0;
    if (sums_.other_alpha == 0) return {};
    TRY(entries_.ForEach([&](const PairEntry& entry) {
      const PairFigures& figures = entry.measured.figures;
      if (plan_.BrokenBy(figures) || !plan_.MissesAlphaOf(figures)) return Status();
      if (++missed <= kMostNamed)
        services_.log(LogLevel::kWarning, PrintablePath(entry.file.path) + ": within the limits, but its " +
                                              AlphaText(figures) +
                                              ", and no limit looks at that (--fail-above alpha-max=NUMBER)");
      return Status();
    }));
    if (missed > kMostNamed)
      services_.log(LogLevel::kWarning,
                    "the alpha of " + std::to_string(missed - kMostNamed) + " more pairs differs, too");
    return {};
  }

  std::string Summary() const {
    std::string text = std::to_string(sums_.equal) + " equal";
    for (const Metric metric : plan_.columns) {
      const double mean = sums_.Mean(metric);
      if ((metric == plan_.columns.front() || metric == Metric::kSsim) && !std::isnan(mean))
        text += ", mean " + std::string(InfoOf(metric).name) + " " + FigureText(metric, mean);
    }
    if (sums_.other_alpha > 0) text += ", alpha differs in " + std::to_string(sums_.other_alpha);
    if (sums_.not_aligned > 0) text += ", no reliable shift found of " + std::to_string(sums_.not_aligned);
    if (!plan_.limits.empty()) text += "; " + std::to_string(sums_.broken) + " outside of the limits";
    return text;
  }

  Status WriteFiles(CommandResult& result) const {
    if (options.mode != RunMode::kRun || result.counts.interrupted) return {};
    if (!asked_.csv.empty()) {
      if (Status written = WriteNamedFile(asked_.csv, PairsCsv(entries_, plan_)); !written)
        return OfTarget("--csv", asked_.csv, written.error());
      result.details["csv"] = PrintablePath(asked_.csv);
    }
    if (asked_.html.empty()) return {};
    std::vector<std::string> facts;
    if (asked_.crop_border > 0)
      facts.push_back("without a border of " + std::to_string(asked_.crop_border) + " pixels");
    if (!asked_.resize.empty()) facts.push_back("partners of other sizes resized: " + asked_.resize);
    if (Status written = page_.Write(asked_.html, sums_, result.failed, facts); !written)
      return OfTarget("--html", asked_.html, written.error());
    result.details["html"] = PrintablePath(asked_.html);
    return {};
  }

  const CompareOptions& asked_;
  const ComparePlan plan_;
  const CommandServices& services_;
  const std::unique_ptr<LpipsNetwork> lpips_;
  std::optional<PairIndex> pairs_;
  PairTable entries_;
  CompareSums sums_;
  ComparePage page_;
  CompareOperation operation_;
};

Result<std::unique_ptr<CommandRun>> Compare::Begin(ItemSource& source, const CommandServices& services) {
  ComparePlan plan = TRY(PlanOf(options_));
  std::unique_ptr<LpipsNetwork> lpips;
  if (!options_.lpips.empty()) lpips = TRY(LpipsNetwork::Open(options_.lpips, services));
  std::optional<PairIndex> pairs;
  if (HoldsFiles(options_.pair)) {
    PairIndex read =
        TRY(ReadPairs(source, services, {options_.pair, options_.pair_names, {}, "name another one"}));
    pairs = std::move(read);
  }
  return std::unique_ptr<CommandRun>(std::make_unique<CompareRun>(
      options_, std::move(plan), services, std::move(lpips), std::move(pairs), source));
}

std::string MetricTable() {
  std::string text = "Metrics:\n";
  for (const MetricInfo& info : AllMetrics()) {
    std::string line = "  " + std::string(info.name);
    line.resize(12, ' ');
    text += line + std::string(info.meaning) + "\n";
  }
  return text;
}

Compare::Compare(Flags& flags) {
  flags.Footer(MetricTable() +
               "\nThe last path is what the others are compared with: a file with a file, or folders, whose\n"
               "images are paired by their names.\n\n"
               "Example:\n"
               "  imgmill compare restored.png original.png\n"
               "  imgmill compare results HQ --crop-border 4 --csv figures.csv --html worst.html\n"
               "  imgmill compare LR HR --pair-name '{name}_HR' --resize cubic --fail-below psnr=28");
  flags.Add("--pair", options_.pair, "What to compare with, instead of the last path").Type("PATH");
  options_.pair_names.AddFlags(flags);
  std::vector<std::string> words;
  for (const MetricInfo& info : AllMetrics()) words.emplace_back(info.name);
  words.emplace_back("all");
  flags
      .Add("--metrics", options_.metrics,
           "Which, separated by commas, or all; the first decides what is worst")
      .Words(words)
      .SplitAtCommas()
      .OneValueEach()
      .ShowDefault("psnr,psnr-y,ssim,ssim-y,mae,max")
      .Type("LIST");
  flags.Add("--lpips", options_.lpips, "Add LPIPS, by these weights with their backbone: .pth, .safetensors")
      .ModelFile()
      .Type("FILE");
  flags.Add("--crop-border", options_.crop_border, "Pixels to leave out on each side [0]").Type("PIXELS");
  flags
      .Add("--resize", options_.resize,
           "Resize partners of another size: nearest, linear, cubic, mitchell, lanczos2, lanczos3")
      .Words(kKernelNames)
      .Type("NAME");
  flags.AddSwitch("--align", options_.align,
                  "Find by how many pixels pairs are shifted, compare what they share");
  flags
      .Add("--fail-below", options_.fail_below,
           "Exit with 4 if a pair has less: psnr=32, ssim=0.9 ...; may be repeated")
      .Type("METRIC=NUMBER")
      .OneValueEach();
  flags
      .Add("--fail-above", options_.fail_above,
           "Exit with 4 if a pair has more: mae=2, max=16 ...; may be repeated")
      .Type("METRIC=NUMBER")
      .OneValueEach();
  flags.Add("--csv", options_.csv, "Write a row for each pair").Type("FILE.csv");
  flags.Add("--html", options_.html, "Write a page with the worst pairs side by side").Type("FILE");
}

}  // namespace

std::optional<std::string> CompareOptions::Check() const {
  if (pair.empty()) return "nothing to compare with: give two paths or --pair PATH";
  if (auto wrong = pair_names.Check()) return wrong;
  if (const Result<ComparePlan> plan = PlanOf(*this); !plan) return plan.error().message;
  if (!lpips.empty()) {
    if (auto wrong = CheckReadable(lpips, "weight file")) return wrong;
  }
  if (crop_border < 0 || crop_border > 65535) return "--crop-border takes 0 to 65535 pixels";
  if (!resize.empty()) {
    if (auto wrong = CheckChoice("--resize", resize, kKernelNames)) return wrong;
  }
  return std::nullopt;
}

std::unique_ptr<Command> AddCompare(Flags& flags) {
  return std::make_unique<Compare>(flags);
}

}  // namespace imgmill
