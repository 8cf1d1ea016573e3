// What tiling needs to know of each image, and what becomes of its outcome.
#include "tile_operation.h"

#include <algorithm>
#include <cstring>

#include "base/try.h"
#include "commands/paired_source.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/output_names.h"
#include "tile_costs.h"
#include "tile_fingerprint.h"
#include "tile_manifest.h"
#include "tile_pairs.h"
#include "tile_task.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;
/// A tile's name, its temporary's, and its row in the catalog, twice.
constexpr size_t kBytesPerTile = 1024;

EdgePolicy EdgeFrom(const std::string& name) {
  return name == "drop" ? EdgePolicy::kDrop : name == "pad" ? EdgePolicy::kPad : EdgePolicy::kShift;
}

/// Of the content, so that a folder that was moved gives the same tiles, and two images not those of the same
/// places.
uint64_t SeedOf(const TileOptions& options, const ContentDigest& content) {
  uint64_t seed = 0;
  std::memcpy(&seed, content.bytes.data(), sizeof seed);
  return seed ^ options.seed;
}

PixelSize ShownSize(const ImageHeader& header) {
  return {header.upright_width(), header.upright_height()};
}

}  // namespace

TileOperation::TileOperation(const TileOptions& options, const CommandServices& services,
                             std::vector<PairIndex>& pairs, OutputManifest* manifest)
    : Operation({.name = "tile",
                 .fingerprint = TileFingerprint(options, services.shared->allow_truncated),
                 .takes_broken = services.shared->allow_truncated}),
      options_(options),
      edge_(EdgeFrom(options.edge)),
      by_(RankingSignal(options)),
      rules_(CheckedTileRules(options)),
      mode_(services.shared->mode),
      allow_truncated_(services.shared->allow_truncated),
      wants_files_(services.in_pipeline),
      catalog_(*services.catalog),
      folder_(options.output, traits().fingerprint, catalog_, services.shared->force),
      pairs_(pairs),
      sidecars_(options.sidecars),
      manifest_(manifest),
      services_(services),
      earlier_(services, folder_, options.prune),
      stale_({[pairs = !options.pairs.empty()](std::string_view fingerprint) {
                return fingerprint.starts_with("tile/") && IsTileOfPairs(fingerprint) == pairs;
              },
              2, "images", "tiles", options.pairs.empty() ? "" : kHighFolder},
             services) {}

SetPrefixes TileOperation::Prefixes(const ListedFile& file) const {
  const std::string stem = OutputStemFor(file) + "_";
  if (!paired()) return {stem};
  SetPrefixes prefixes = {std::string(kHighFolder) + stem};
  for (const std::string& folder : LowFolders(options_)) prefixes.push_back(folder + stem);
  return prefixes;
}

Result<std::vector<std::string>> TileOperation::FindPartners(const ListedFile& file) {
  return TakePartners(pairs_, file, "--pair takes the folder of the low-resolution images");
}

std::vector<std::string> TileOperation::FindSidecars(const ListedFile& file) {
  std::vector<std::string> paths;
  for (Sidecar& sidecar : sidecars_.Of(file.path)) paths.push_back(std::move(sidecar.path));
  return paths;
}

Result<GroupShape> TileOperation::ShapeOf(const Item& item) const {
  std::vector<GroupMember> lows;
  for (const SourceFile& partner : item.partners) lows.push_back({partner.path, ShownSize(partner.header)});
  return ShapeOfGroup(ShownSize(item.main.header), lows, options_);
}

Status TileOperation::CheckSidecars(const Item& item) const {
  for (const SourceFile& sidecar : item.sidecars) {
    if (sidecar.stamp.size <= kLargestSidecar) continue;
    return OfSidecar(sidecar.path, Error{Stage::kProbe, Code::kLimitExceeded,
                                         "it has more than " + FormatByteSize(kLargestSidecar) +
                                             ", which is much for a copy beside each tile"});
  }
  return {};
}

/// Of all that determines which tiles there are: their values are those of the same ones.
std::string TileOperation::SignalsFact() const {
  return "tile-signals/1 " + traits().fingerprint;
}

std::string TileOperation::PartFact() const {
  return "tile-part/1 " + traits().fingerprint;
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

TileCut TileOperation::CutOf(int scale, int helpers) const {
  TileCut cut;
  cut.writing = options_.file.Writing();
  cut.metadata = options_.keep_metadata;
  cut.size = options_.size / scale;
  cut.spare = helpers > 0 ? cut.size : 0;
  cut.scale = scale;
  return cut;
}

Result<ItemPlan> TileOperation::Plan(const Item& item) const {
  const GroupShape shape = TRY(ShapeOf(item));
  TRY(CheckSidecars(item));
  const ImageHeader& header = item.main.header;
  ItemPlan plan(header, Reading(), {kRowsPerRegion, 0});
  const size_t tiles = Starts(shape.area.width).size() * Starts(shape.area.height).size();
  plan.work = TileSideCost(options_, plan.input, options_.size) + Footprint{0, tiles * kBytesPerTile};
  if (options_.best > 0 || options_.HasRules()) {
    Layout tile = plan.input;
    tile.width = tile.height = options_.size;
    plan.work.pooled += SignalMeter::PooledBytes(tile);
  }
  if (options_.best > 0 && options_.min_distance > 0)
    plan.work = plan.work + ReadFootprint(header, Reading());
  for (size_t i = 0; i < item.partners.size(); ++i) {
    const ImageHeader& low = item.partners[i].header;
    const Layout rows = ReadLayout(low, Reading());
    plan.work = plan.work + ReadFootprint(low, Reading()) +
                TileSideCost(options_, rows, options_.size / shape.scales[i]);
  }
  size_t largest = 0;
  for (const SourceFile& sidecar : item.sidecars) {
    largest = std::max(largest, static_cast<size_t>(sidecar.stamp.size));
    plan.work = plan.work + Footprint{0, tiles * kBytesPerTile};
  }
  plan.work = plan.work + Footprint{0, largest};
  return plan;
}

Result<bool> TileOperation::Recall(const Item& item, Outcome& outcome) {
  auto payload = std::make_unique<TilePayload>();
  const PixelSize high{item.main.upright_width, item.main.upright_height};
  std::vector<PixelSize> lows;
  for (const SourceFile& partner : item.partners)
    lows.push_back({partner.upright_width, partner.upright_height});
  const std::vector<int> scales = ScalesOfGroup(high, lows, options_.crop_pairs);
  for (size_t i = 0; i < scales.size(); ++i) payload->lows.push_back({item.partners[i].path, scales[i]});
  for (const SourceFile& sidecar : item.sidecars)
    payload->endings.emplace_back(EndingBehindStem(item.main.path, sidecar.path));
  TileSignals signals(ChoosingSignals(options_));
  if (!signals.empty()) {
    // Partners' sizes decide which tiles there are, too.
    const std::optional<std::string> known = catalog_.FindFact(item.WorkContent(), SignalsFact());
    if (!known || !signals.Unpack(*known)) return false;  // the list has them
    payload->signals = std::move(signals);
  }
  SetEdits edits{[this](const std::string& name) { return !name.ends_with(extension()); }, {}};
  std::optional<std::vector<std::string>> finished =
      TRY(FindFinishedSet(folder_, item, Prefixes(item.file), &edits));
  if (!finished) return false;
  payload->edited = std::move(edits.found);
  EarlierChoice earlier =
      TRY(FindEarlierChoice(folder_, item, Prefixes(item.file), *finished, earlier_.prunes_now()));
  payload->earlier = std::move(earlier);
  if (allow_truncated_) {
    const std::optional<std::string> known = catalog_.FindFact(item.WorkContent(), PartFact());
    payload->part = known ? ReadPart::Unpack(*known).value_or(ReadPart()) : ReadPart();
    if (!payload->part.whole()) outcome.notes.push_back(payload->part.note());
  }
  outcome.state = Outcome::State::kSkipped;
  outcome.outputs = *std::move(finished);
  outcome.payload = std::move(payload);
  return true;
}

std::vector<std::string> TileOperation::NamesOf(const Item& item, std::span<const int64_t> xs,
                                                std::span<const int64_t> ys) const {
  std::vector<std::string> names;
  const SetPrefixes prefixes = Prefixes(item.file);
  for (const std::string& prefix : prefixes) {
    for (const int64_t x : xs) {
      for (const int64_t y : ys) names.push_back(TileName(prefix, {x, y}, extension()));
    }
  }
  const size_t own = xs.size() * ys.size();  // those of the first prefix
  for (const SourceFile& sidecar : item.sidecars) {
    const std::string_view ending = EndingBehindStem(item.main.path, sidecar.path);
    for (size_t i = 0; i < own; ++i) names.push_back(SidecarOfTile(item.main.path, ending, names[i]));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<Prospect> TileOperation::Rehearse(const Item& item) {
  TRY(MayBeginSet(folder_, item, Prefixes(item.file)));
  const GroupShape shape = TRY(ShapeOf(item));
  const std::vector<int64_t> xs = Starts(shape.area.width);
  const std::vector<int64_t> ys = Starts(shape.area.height);
  uint64_t tiles = uint64_t{xs.size()} * ys.size();
  const std::vector<std::string> names = NamesOf(item, xs, ys);
  const bool some = options_.best > 0 && tiles > static_cast<uint64_t>(options_.best);
  const bool perhaps = options_.HasRules() || options_.min_distance > 0;
  TRY(earlier_.Foresee(folder_, item, Prefixes(item.file), names, !some && !perhaps));
  if (tiles == 0) return Prospect{0};
  for (const std::string& prefix : Prefixes(item.file)) TRY(folder_.MayMakeFolder(prefix));
  for (const std::string& name : names) TRY(folder_.MayWrite(item, name));
  if (options_.best > 0) tiles = std::min(tiles, static_cast<uint64_t>(options_.best));
  return Prospect{tiles, perhaps};
}

Result<std::unique_ptr<ItemTask>> TileOperation::Start(const Item& item, const ItemPlan& plan) {
  TileTaskParts parts;
  const GroupShape shape = TRY(ShapeOf(item));
  parts.prefixes = Prefixes(item.file);
  parts.xs = Starts(shape.area.width);
  parts.ys = Starts(shape.area.height);
  if (parts.xs.empty()) parts.ys.clear();
  parts.best = options_.best;
  parts.by = by_;
  parts.rules = rules_;
  parts.signals = ChoosingSignals(options_);
  parts.catalog = &catalog_;
  parts.signals_fact = SignalsFact();
  parts.part_fact = PartFact();
  parts.min_distance = options_.min_distance;
  parts.prune = options_.prune;
  parts.reading = plan.reading;
  if (options_.by == kByChance) parts.random = SeedOf(options_, item.main.content);
  parts.help = AskForHelp(TileHelp(options_, item, plan, shape));
  std::unique_ptr<TileSide> high =
      TRY(TileSide::Open(item.main.path, item.main.header, plan.input, shape.area,
                         CutOf(1, parts.help.threads), parts.prefixes[0]));
  parts.high = std::move(high);
  for (size_t i = 0; i < item.partners.size(); ++i) {
    const SourceFile& partner = item.partners[i];
    LowSide low;
    low.path = partner.path;
    low.header = partner.header;
    low.scale = shape.scales[i];
    Result<std::unique_ptr<RowReader>> rows = OpenRows(partner.path, partner.header, plan.reading);
    if (!rows) return OfPartner(partner.path, rows.error());
    low.rows = *std::move(rows);
    const PixelSize shown{shape.area.width / low.scale, shape.area.height / low.scale};
    Result<std::unique_ptr<TileSide>> side =
        TileSide::Open(partner.path, partner.header, ReadLayout(partner.header, plan.reading), shown,
                       CutOf(low.scale, parts.help.threads), parts.prefixes[i + 1]);
    if (!side) return OfPartner(partner.path, side.error());
    low.side = *std::move(side);
    parts.lows.push_back(std::move(low));
  }
  return MakeTileTask(folder_, item, std::move(parts));
}

void TileOperation::TellEdited(const ListedFile& file, const std::vector<std::string>& edited) const {
  if (edited.empty()) return;
  const std::string others =
      edited.size() > 1 ? " and " + std::to_string(edited.size() - 1) + " more" : std::string();
  services_.log(LogLevel::kWarning,
                PrintablePath(file.path) + ": " + PrintablePath(folder_.PlaceOf(edited.front())) + others +
                    (edited.size() > 1 ? " were" : " was") +
                    " changed since the side-car was copied there, and left so (delete it to have it copied "
                    "again)");
}

void TileOperation::Collect(Outcome& outcome) {
  if (outcome.state == Outcome::State::kFailed) return;
  stale_.Add(outcome.file.path, Prefixes(outcome.file));
  if (outcome.prospect && outcome.prospect->files != 0) {
    preview_.Add(outcome);
    return;
  }
  const SetPrefixes prefixes = Prefixes(outcome.file);
  if (manifest_ != nullptr) manifest_->Replace(outcome.file.path, prefixes[0]);
  if (outcome.payload != nullptr) {
    earlier_.Add(static_cast<const TilePayload&>(*outcome.payload).earlier);
  }
  if (outcome.outputs.empty()) {
    const bool part =
        outcome.payload != nullptr && !static_cast<const TilePayload&>(*outcome.payload).part.whole();
    services_.log(LogLevel::kWarning,
                  PrintablePath(outcome.file.path) +
                      (part                  ? ": what could be read of it gives no tile"
                       : options_.HasRules() ? ": no tile of it passes the rules, or it is smaller than one"
                                             : ": smaller than a tile, so it gives none "
                                               "(--edge pad would fill one up)"));
    too_small_.Add(outcome.file);
    return;
  }
  const TilePayload& payload = static_cast<const TilePayload&>(*outcome.payload);
  finished_ += outcome.state == Outcome::State::kSkipped ? 1 : 0;
  TellEdited(outcome.file, payload.edited);
  for (const std::string& name : outcome.outputs) {
    const std::optional<TilePlace> place = PlaceOf(name, prefixes[0]);
    if (!place || !name.ends_with(extension()))
      continue;  // the low resolution's, or a side-car: told with the tile
    TileRecord record{name, outcome.file.path, *place, options_.size, {}, {}, {}, {}};
    if (!payload.part.HasAllOf(*place, options_.size)) record.part = payload.part.note();
    if (payload.signals) record.signals = payload.signals->Of(*place);
    for (size_t i = 0; i < payload.lows.size(); ++i) {
      record.lows.push_back(
          {TileName(prefixes[i + 1], *place, extension()), payload.lows[i].path, payload.lows[i].scale});
    }
    for (const std::string& ending : payload.endings)
      record.sidecars.push_back(SidecarOfTile(outcome.file.path, ending, name));
    ++tiles_;
    if (manifest_ != nullptr) manifest_->Add(record.Line());
    if (!wants_files_) continue;
    ListedFile file;
    file.index = written_.size();
    file.path = folder_.PlaceOf(name);
    file.relative = name;
    written_.Add(file);
  }
}

}  // namespace imgmill
