// What tiling needs to know of each image, and what becomes of its outcome.
#include "tile_operation.h"

#include <algorithm>
#include <cstring>

#include "base/try.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/output_names.h"
#include "paired_source.h"
#include "tile_manifest.h"
#include "tile_task.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;
/// A tile's name, its temporary's, and its row in the catalog, twice.
constexpr size_t kBytesPerTile = 1024;

EdgePolicy EdgeFrom(const std::string& name) {
  return name == "drop" ? EdgePolicy::kDrop : name == "pad" ? EdgePolicy::kPad : EdgePolicy::kShift;
}

Signal SignalOf(const TileOptions& options) {
  const Result<Signal> signal = SignalFromName(options.by);
  return signal ? *signal : Signal::kSharpness;  // checked before
}

std::string ChoiceOf(const TileOptions& options) {
  return options.by == kByChance ? "chance " + std::to_string(options.seed) + " " : options.by + " on white ";
}

/// Of the content, so that a folder that was moved gives the same tiles, and two images not those of the same
/// places.
uint64_t SeedOf(const TileOptions& options, const ContentDigest& content) {
  uint64_t seed = 0;
  std::memcpy(&seed, content.bytes.data(), sizeof seed);
  return seed ^ options.seed;
}

std::vector<FilterRule> RulesOf(const TileOptions& options) {
  Result<std::vector<FilterRule>> rules = TileRules(options);
  return rules ? *std::move(rules) : std::vector<FilterRule>();  // checked before
}

/// The rules as text, for a fingerprint.
std::string TextOf(const TileOptions& options) {
  std::string text;
  for (const FilterRule& rule : RulesOf(options)) text += rule.flag() + (" " + rule.text) + " ";
  return text;
}

std::string FingerprintOf(const TileOptions& options, bool lenient) {
  // What was made of the readable part of a broken file is no result where such files are refused.
  return "tile/1 " + std::to_string(options.size) + "+" + std::to_string(options.Step()) + " " +
         options.edge + " " +
         (options.best > 0 ? std::to_string(options.best) + " by " + ChoiceOf(options) : "") +
         TextOf(options) + (options.pair.empty() ? "" : "pair ") + options.file.Text() + " " +
         ImageLibraryVersions() + (lenient ? " lenient" : "");
}

}  // namespace

int PairScale(int64_t high_width, int64_t high_height, int64_t low_width, int64_t low_height) {
  const int64_t scale = high_width / std::max<int64_t>(1, low_width);
  const bool exact = scale >= 1 && low_width * scale == high_width && low_height * scale == high_height;
  return exact ? static_cast<int>(scale) : 0;
}

namespace {

int ScaleOf(const ImageHeader& high, const ImageHeader& low) {
  return PairScale(high.upright_width(), high.upright_height(), low.upright_width(), low.upright_height());
}

}  // namespace

TileOperation::TileOperation(const TileOptions& options, const CommandServices& services, PairIndex* pairs,
                             OutputManifest* manifest)
    : Operation({"tile", FingerprintOf(options, services.shared->allow_truncated)}),
      options_(options),
      edge_(EdgeFrom(options.edge)),
      by_(SignalOf(options)),
      rules_(RulesOf(options)),
      mode_(services.shared->mode),
      allow_truncated_(services.shared->allow_truncated),
      wants_files_(services.in_pipeline),
      catalog_(*services.catalog),
      folder_(options.output, traits().fingerprint, catalog_, services.shared->force),
      pairs_(pairs),
      manifest_(manifest),
      services_(services) {}

SetPrefixes TileOperation::Prefixes(const ListedFile& file) const {
  const std::string stem = OutputStemFor(file) + "_";
  if (!paired()) return {stem};
  return {std::string(kHighFolder) + stem, std::string(kLowFolder) + stem};
}

Result<std::string> TileOperation::FindPartner(const ListedFile& file) {
  if (!paired()) return std::string();
  const std::string path = TRY(pairs_->Take(file));
  TRY(IsAnother(file.path, path, "--pair takes the folder of the low-resolution images"));
  return path;
}

Status TileOperation::CheckPair(const Item& item) const {
  if (!item.partner) return {};
  const int scale = ScaleOf(item.main.header, item.partner->header);
  if (scale == 0) {
    return Error{Stage::kProbe, Code::kConflict,
                 "it is " + UprightSizeText(item.main.header) + " and its partner " +
                     PrintablePath(item.partner->path) + " " + UprightSizeText(item.partner->header) +
                     ": that is not a whole-number scale"};
  }
  if (options_.size % scale == 0 && options_.Step() % scale == 0) return {};
  const int fitting = std::max(1, options_.size / scale) * scale;
  return Error{Stage::kProbe, Code::kConflict,
               "it is " + std::to_string(scale) + " times as large as its partner, and tiles of " +
                   std::to_string(options_.size) + " every " + std::to_string(options_.Step()) +
                   " pixels are not multiples of that (use --size " + std::to_string(fitting) +
                   ", and a stride that is one)"};
}

ReadOptions TileOperation::Reading() const {
  ReadOptions reading;
  reading.keep_profile = true;  // each tile gets it
  reading.allow_truncated = allow_truncated_;
  return reading;
}

std::vector<int64_t> TileOperation::Starts(int64_t length) const {
  return TileStarts(length, options_.size, options_.Step(), edge_);
}

Footprint TileOperation::SideCost(const Layout& image, int64_t size) const {
  Layout tile = image;
  tile.width = tile.height = size;
  return EncodeFootprint(tile, options_.file.Writing()) +
         Footprint{TileBand::PooledBytes(image, size, edge_ == EdgePolicy::kPad), 0};
}

Result<ItemPlan> TileOperation::Plan(const Item& item) const {
  TRY(CheckPair(item));
  const ImageHeader& header = item.main.header;
  ItemPlan plan(header, Reading(), {kRowsPerRegion, 0});
  const size_t tiles = Starts(header.upright_width()).size() * Starts(header.upright_height()).size();
  plan.work = SideCost(plan.input, options_.size) + Footprint{0, tiles * kBytesPerTile};
  if (options_.best > 0 || options_.HasRules()) {
    Layout tile = plan.input;
    tile.width = tile.height = options_.size;
    plan.work.pooled += SignalMeter::PooledBytes(tile);
  }
  if (item.partner) {
    const ImageHeader& low = item.partner->header;
    plan.work = plan.work + ReadFootprint(low, Reading()) +
                SideCost(ReadLayout(low, Reading()), options_.size / ScaleOf(header, low));
  }
  return plan;
}

Result<bool> TileOperation::Recall(const Item& item, Outcome& outcome) {
  auto payload = std::make_unique<TilePayload>();
  if (item.partner) {
    const SourceFile& partner = *item.partner;
    payload->scale = PairScale(item.main.upright_width, item.main.upright_height, partner.upright_width,
                               partner.upright_height);
    payload->partner = partner.path;
  }
  std::optional<std::vector<std::string>> finished = TRY(FindFinishedSet(folder_, item, Prefixes(item.file)));
  if (!finished) return false;
  outcome.state = Outcome::State::kSkipped;
  outcome.outputs = *std::move(finished);
  outcome.payload = std::move(payload);
  return true;
}

Result<bool> TileOperation::Rehearse(const Item& item) {
  TRY(MayBeginSet(folder_, item, Prefixes(item.file)));
  const std::vector<int64_t> xs = Starts(item.main.header.upright_width());
  const std::vector<int64_t> ys = Starts(item.main.header.upright_height());
  if (xs.empty() || ys.empty()) return false;
  for (const std::string& prefix : Prefixes(item.file)) {
    TRY(folder_.MayMakeFolder(prefix));
    for (const int64_t x : xs) {
      for (const int64_t y : ys) TRY(folder_.MayWrite(item, TileName(prefix, {x, y}, extension())));
    }
  }
  return true;
}

Result<std::unique_ptr<ItemTask>> TileOperation::Start(const Item& item, const ItemPlan& plan) {
  TileTaskParts parts;
  parts.prefixes = Prefixes(item.file);
  parts.scale = item.partner ? ScaleOf(item.main.header, item.partner->header) : 1;
  parts.xs = Starts(plan.input.width);
  parts.ys = Starts(plan.input.height);
  if (parts.xs.empty()) parts.ys.clear();
  parts.best = options_.best;
  parts.by = by_;
  parts.rules = rules_;
  if (options_.by == kByChance) parts.random = SeedOf(options_, item.main.content);
  const WriteOptions writing = options_.file.Writing();
  std::unique_ptr<TileSide> high = TRY(TileSide::Open(item.main.path, item.main.header, plan.input, writing,
                                                      options_.size, 1, parts.prefixes[0]));
  parts.high = std::move(high);
  if (item.partner) {
    const SourceFile& partner = *item.partner;
    Result<std::unique_ptr<RowReader>> rows = OpenRows(partner.path, partner.header, plan.reading);
    if (!rows) return OfPartner(partner.path, rows.error());
    parts.low_rows = *std::move(rows);
    Result<std::unique_ptr<TileSide>> low =
        TileSide::Open(partner.path, partner.header, ReadLayout(partner.header, plan.reading), writing,
                       options_.size / parts.scale, parts.scale, parts.prefixes[1]);
    if (!low) return OfPartner(partner.path, low.error());
    parts.low = *std::move(low);
  }
  return MakeTileTask(folder_, item, std::move(parts));
}

void TileOperation::Collect(Outcome& outcome) {
  if (outcome.state == Outcome::State::kFailed) return;
  if (mode_ != RunMode::kRun && outcome.state == Outcome::State::kDone && !outcome.gives_nothing) {
    preview_.Add(outcome);
    return;
  }
  const SetPrefixes prefixes = Prefixes(outcome.file);
  if (manifest_ != nullptr) manifest_->Replace(outcome.file.path, prefixes[0]);
  if (outcome.outputs.empty()) {
    services_.log(LogLevel::kWarning,
                  PrintablePath(outcome.file.path) +
                      (options_.HasRules() ? ": no tile of it passes the rules, or it is smaller than one"
                                           : ": smaller than a tile, so it gives none "
                                             "(--edge pad would fill one up)"));
    too_small_.Add(outcome.file);
    return;
  }
  const TilePayload& payload = static_cast<const TilePayload&>(*outcome.payload);
  for (const std::string& name : outcome.outputs) {
    const std::optional<TilePlace> place = PlaceOf(name, prefixes[0]);
    if (!place) continue;  // the low resolution's: told with the high one's
    TileRecord record{name, outcome.file.path, *place, options_.size, payload.scale, {}, {}};
    if (paired()) {
      record.low_tile = TileName(prefixes[1], *place, extension());
      record.low_source = payload.partner;
    }
    ++tiles_;
    if (manifest_ != nullptr) manifest_->Add(record.Line());
    if (!wants_files_) continue;
    ListedFile file;
    file.index = written_.size();
    file.path = folder_.PathOf(name);
    file.relative = name;
    written_.Add(file);
  }
}

}  // namespace imgmill
