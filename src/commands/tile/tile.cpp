// The tile command: checks its options, finds the pairs, runs the operation, sums up.
#include "imgmill/commands/tile.h"

#include <array>

#include "base/try.h"
#include "commands/choice.h"
#include "commands/paired_source.h"
#include "commands/sidecar_actions.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "imgmill/commands/steps_before.h"
#include "imgmill/dataset/sidecars.h"
#include "tile_manifest.h"
#include "tile_operation.h"
#include "tile_pairs.h"
#include "tile_rules.h"

namespace imgmill {
namespace {

constexpr char kFormats[] = "png, jpg, webp, tiff, jxl or avif";
constexpr char kManifest[] = "tiles.jsonl";
constexpr int kSmallest = 8;
constexpr int kLargest = 16384;
const std::array<std::string, 3> kEdges = {"shift", "drop", "pad"};
/// Signals that can differ from tile to tile, and chance.
const std::array<std::string, 12> kRankings = {
    "sharpness",  "contrast",   "entropy", "colorfulness",        "brightness",   "noise",
    "blockiness", "saturation", "blur",    "spatial_information", "jpeg_visible", kByChance};

/// Why an image gives none.
std::string NoTile(const TileOptions& options) {
  return options.HasRules() ? "without a tile that passes the rules" : "smaller than a tile";
}

class Tile final : public Command, public ChecksAhead {
 public:
  explicit Tile(Flags& flags);

  std::optional<std::string> Check() const override { return options_.Check(); }
  std::optional<std::string> CheckAlone(const SharedOptions&) const override {
    return CheckPairFolders(options_.pairs, {});
  }
  bool works_image_by_image() const override { return true; }
  std::string output_folder() const override { return options_.output; }
  void set_output_folder(const std::string& folder) override { options_.output = folder; }
  std::string output_ending() const override {
    return std::string(Extension(options_.file.Writing().format));
  }
  std::vector<std::string> partner_folders() const override {
    std::vector<std::string> folders;
    for (const std::string& folder : LowFolders(options_))
      folders.push_back(options_.output + "/" + folder.substr(0, folder.size() - 1));
    return folders;
  }
  Status MayRead(const CommandServices&, const StepsBefore& before) const override {
    return MayReadPairs(options_.pairs, before);
  }
  Status MayWrite(const CommandServices& services, const StepsBefore& before) const override {
    if (services.shared->mode == RunMode::kRun && before.are_now()) return {};  // Begin reads the whole list
    return OutputManifest::MayOpen(kTileManifest, ManifestPath(), services.shared->force);
  }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource& source, const CommandServices& services) override;

 private:
  class TileRun;

  std::string ManifestPath() const { return options_.output + "/" + kManifest; }

  std::string TooSmall(uint64_t images) const {
    return images > 0 ? ", " + std::to_string(images) + " " + NoTile(options_) : "";
  }

  static void TellEarlier(TileOperation& operation, CommandResult& result) {
    operation.earlier().Tell("of other sizes or choices", result);
  }

  Result<CommandResult> SumUp(CommandResult result, TileOperation& operation,
                              const CommandServices& services) const {
    const RunCounts& counts = result.counts;
    result.dropped = operation.too_small().size();
    result.kept_images = counts.done + counts.skipped - result.dropped;
    result.kept = operation.written();
    const Status marked = operation.too_small().ForEach([&](const ListedFile& file) {
      result.MarkDropped(services, file, [&] { return NoTile(options_); });
      return Status();
    });
    if (!marked) return marked.error();
    result.details["tiles"] = operation.tiles();
    result.details.SetRows("too_small", PathsOf(operation.too_small()));
    const bool pairs = options_.pairs.size() == 1;
    const char* one = options_.pairs.empty() ? " tile" : pairs ? " pair of tiles" : " group of tiles";
    const char* many = options_.pairs.empty() ? " tiles" : pairs ? " pairs of tiles" : " groups of tiles";
    result.summary = std::to_string(operation.tiles()) + (operation.tiles() == 1 ? one : many) + " in " +
                     PrintablePath(options_.output);
    if (operation.finished() > 0)
      result.summary += ", those of " + std::to_string(operation.finished()) + " were finished already";
    result.summary += TooSmall(result.dropped);
    if (services.shared->mode == RunMode::kRun) TellEarlier(operation, result);
    return result;
  }

  TileOptions options_;
};

class Tile::TileRun final : public CommandRun {
 public:
  TileRun(const Tile& tile, const CommandServices& services, std::unique_ptr<OutputManifest> manifest,
          std::vector<PairIndex> pairs, ItemSource& given)
      : CommandRun(services, tile.options_.output),
        tile_(tile),
        services_(services),
        manifest_(std::move(manifest)),
        pairs_(std::move(pairs)),
        operation_(tile.options_, services, pairs_, manifest_.get()) {
    options.mode = services.shared->mode;
    alone = !tile.options_.sidecars.empty();  // nobody else asks for these
    if (pairs_.empty()) return;
    std::vector<const PairIndex*> asked;
    for (const PairIndex& each : pairs_) asked.push_back(&each);
    source = PairedSource(given, std::move(asked), NamesWholeFolders(given, services.shared->list),
                          *services.stop);
    alone = true;  // nobody else asks for partners
  }
  Operation& operation() override { return operation_; }
  std::vector<size_t> TakeForeseen() override { return operation_.earlier().TakeForeseen(); }

  Result<CommandResult> Reduce(CommandResult mapped) override {
    Result<CommandResult> summed = tile_.SumUp(std::move(mapped), operation_, services_);
    if (!summed) return summed.error();
    CommandResult& result = *summed;
    if (!result.counts.interrupted) WarnOfUnmatched(services_, operation_.sidecars());
    if (options.mode != RunMode::kRun) {
      result.text = operation_.preview().Text();
      result.ahead = operation_.preview().prospect();
      result.summary = "dry run: " + std::to_string(operation_.preview().count()) + " would be cut into " +
                       PrintablePath(tile_.options_.output) + ", largest lease " +
                       FormatByteSize(operation_.preview().largest_lease()) + tile_.TooSmall(result.dropped);
      TellEarlier(operation_, result);
      TRY(operation_.stale().Tell(tile_.options_.output, tile_.options_.prune, result));
    } else if (!result.counts.interrupted) {  // else the list is no whole one: the rerun writes it
      // The list is written whatever comes of that, and behind it: it leaves out what was removed.
      const Status told = operation_.stale().Tell(tile_.options_.output, tile_.options_.prune, result);
      TRY(result.failed.ForEach([&](const FailedItem& item) {
        manifest_->Failed(item.path);
        return Status();
      }));
      const KeptOutputs kept = TRY(manifest_->Finish());
      const size_t pairs = tile_.options_.pairs.size();
      TellKept(kept, pairs == 0 ? "tile" : pairs == 1 ? "pair" : "group", "tiles", result);
      result.details["manifest"] = PrintablePath(tile_.ManifestPath());
      result.text = WholeText(PrintablePath(tile_.ManifestPath()) + "\n");
      if (!told) return told.error();
    }
    return summed;
  }

 private:
  const Tile& tile_;
  const CommandServices& services_;
  std::unique_ptr<OutputManifest> manifest_;
  std::vector<PairIndex> pairs_;
  TileOperation operation_;
};

Result<std::unique_ptr<CommandRun>> Tile::Begin(ItemSource& source, const CommandServices& services) {
  const SharedOptions& shared = *services.shared;
  std::vector<PairIndex> pairs;
  for (size_t i = 0; i < options_.pairs.size(); ++i) {
    PairIndex read = TRY(ReadPairs(source, services,
                                   {options_.pairs[i], NamesOfPair(options_, i), options_.output,
                                    "name that of their low-resolution partners"}));
    pairs.push_back(std::move(read));
  }
  std::unique_ptr<OutputManifest> manifest;
  if (shared.mode == RunMode::kRun) {
    std::unique_ptr<OutputManifest> opened =
        TRY(OutputManifest::Open(kTileManifest, ManifestPath(), shared.force));
    manifest = std::move(opened);
  }
  return std::unique_ptr<CommandRun>(
      std::make_unique<TileRun>(*this, services, std::move(manifest), std::move(pairs), source));
}

Tile::Tile(Flags& flags) {
  flags.Footer(
      "Example:\n"
      "  imgmill tile photos -o tiles --size 256 --overlap 32 --format jpg\n"
      "  imgmill tile HQ --pair LQ -o tiles --size 480          pairs from two folders\n"
      "  imgmill tile HQ --pair X2 --pair X4 -o tiles --size 480 --best 20 --min-distance 240");
  flags.Add("-o,--output", options_.output, "Folder for the tiles and tiles.jsonl; sub-folders are kept")
      .Type("DIR");
  flags.Add("--size", options_.size, "Side of a tile, 8 to 16384").ShowDefault().Type("PIXELS");
  flags.Add("--stride", options_.stride, "Distance from one tile's edge to the next one's [the size]")
      .Type("PIXELS");
  flags.Add("--overlap", options_.overlap, "Pixels that neighbouring tiles share, instead of --stride [0]")
      .Type("PIXELS");
  flags
      .Add("--edge", options_.edge,
           "Last column and row: shift back inside, drop, or pad with the last pixels")
      .Words(kEdges)
      .ShowDefault()
      .Type("NAME");
  flags.Add("--keep", options_.keep, "A rule that tiles must satisfy, as filter's; may be repeated")
      .Type("RULE")
      .OneValueEach();
  flags.Add("--drop", options_.drop, "A rule that tiles must not satisfy; may be repeated")
      .Type("RULE")
      .OneValueEach();
  flags.Add("--best", options_.best, "Only this many tiles of each image, ranked by --by [0: all]").Type("N");
  flags.Add("--by", options_.by, "Signal that ranks them: sharpness, contrast, entropy, ..., or random")
      .Words(kRankings)
      .ShowDefault()
      .Type("NAME");
  flags.Add("--seed", options_.seed, "Of --by random: another number gives other tiles")
      .ShowDefault()
      .Type("N");
  flags
      .Add("--min-distance", options_.min_distance,
           "Least distance between the corners of two tiles of an image [0: any]")
      .Type("PIXELS");
  flags
      .Add("--pair", options_.pairs,
           "Folder of low-resolution partners, cut to match; repeated for several scales")
      .Type("DIR")
      .OneValueEach();
  flags
      .Add("--pair-name", options_.pair_names,
           "How partners are named, as in '{name}_x4' [{name}]; once, or once for each --pair")
      .Type("PATTERN")
      .OneValueEach();
  flags
      .Add("--own-name", options_.own_name, "How the images themselves are named, as in '{name}_HR' [{name}]")
      .Type("PATTERN");
  flags.AddSwitch("--crop-pairs", options_.crop_pairs,
                  "Take partners made of the image cropped to a multiple of the scale: leave the rest out");
  flags.AddSwitch("--prune", options_.prune,
                  "Remove tiles that earlier runs have made of the same images, or of such as are gone");
  flags
      .Add("--sidecars", options_.sidecars,
           "Files beside an image, such as '*.txt', to be copied beside each of its tiles")
      .SplitAtCommas()
      .Type("PATTERN,...");
  flags.AddSwitch("--keep-metadata", options_.keep_metadata,
                  "Give each tile the image's EXIF and XMP, too, and a jpg its IPTC");
  options_.file.AddFlags(flags, kFormats);
}

}  // namespace

std::optional<std::string> TileOptions::Check() const {
  if (output.empty()) return "an output folder is needed: -o DIR";
  if (size < kSmallest || size > kLargest) return "--size takes 8 to 16384 pixels";
  if (stride != 0 && overlap != 0) return "give either --stride or --overlap";
  if (stride < 0 || stride > (1 << 30)) return "--stride takes 1 pixel or more";
  if (overlap < 0 || overlap >= size) return "--overlap takes 0 up to one less than --size";
  if (auto wrong = CheckChoice("--edge", edge, kEdges)) return wrong;
  if (best < 0) return "--best takes 1 tile or more (0: all)";
  if (auto wrong = CheckChoice("--by", by, kRankings)) return wrong;
  if (const auto rules = TileRules(*this); !rules) return rules.error().message;
  if (seed != 0 && by != kByChance) return "--seed goes with --by random";
  if (by == kByChance && best == 0) return "--by random needs the number of tiles: --best N";
  if (min_distance < 0 || min_distance > (1 << 30)) return "--min-distance takes 0 pixels or more";
  if (auto wrong = CheckPairs(*this)) return wrong;
  if (auto wrong = SidecarFinder::Check(sidecars)) return wrong;
  if (auto wrong = file.Check(kFormats)) return wrong;
  if (const int64_t most = LongestSide(file.Writing().format); size > most) {
    return "--size takes at most " + std::to_string(most) + " pixels with --format " + file.format;
  }
  return std::nullopt;
}

std::unique_ptr<Command> AddTile(Flags& flags) {
  return std::make_unique<Tile>(flags);
}

}  // namespace imgmill
