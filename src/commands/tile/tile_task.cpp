// Rows go into a band; whenever the band holds a row of tiles, those are cut, encoded and put into the set.
#include "tile_task.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "archive/file_part.h"
#include "base/counted.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "image/readable_part.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/sidecars.h"
#include "tile_ranking.h"
#include "tile_spacing.h"
#include "tile_writer.h"

namespace imgmill {
namespace {

/// @param size  that it had when it was looked at
Result<std::string> ReadSidecar(const std::string& path, int64_t size) {
  std::optional<FilePart> file = FilePart::Open(path);
  if (!file) return ErrnoError(Stage::kWrite, errno, "open");
  std::string bytes(static_cast<size_t>(size), '\0');
  const ssize_t got = file->Read(bytes.data(), bytes.size());
  if (got < 0) return ErrnoError(Stage::kWrite, errno, "read");
  bytes.resize(static_cast<size_t>(got));
  return bytes;
}

class TileTask final : public ItemTask {
 public:
  TileTask(OutputFolder& folder, const Item& item, TileTaskParts parts)
      : folder_(folder),
        item_(item),
        parts_(std::move(parts)),
        set_(folder, item, parts_.prefixes),
        signals_(parts_.signals),
        writer_(set_, AllSides(parts_), parts_.help.threads) {
    if (parts_.best > 0) ranking_.emplace(static_cast<size_t>(parts_.best), parts_.by);
    if (parts_.min_distance > 0) spacing_.emplace(parts_.min_distance);
  }

  Status Map(const Region& region) override { return First(CutRegion(region)); }

  Status ReadRest() override {
    TRY(First(CutRest()));
    TRY(ReadRestOfPartners());
    return AddSidecars();
  }

  Status Finish(Outcome& outcome) override {
    ReadPart part = TakePart(outcome.notes);
    if (!part.whole()) TRY(parts_.catalog->PutFact(item_.WorkContent(), parts_.part_fact, part.Pack()));
    // First: what is finished is recalled with its values, wherever a run stops.
    if (!signals_.empty())
      TRY(parts_.catalog->PutFact(item_.WorkContent(), parts_.signals_fact, signals_.Pack()));
    TRY(set_.Commit());
    auto payload = std::make_unique<TilePayload>();
    payload->part = std::move(part);
    for (const LowSide& low : parts_.lows) payload->lows.push_back({low.path, low.scale});
    for (const SourceFile& sidecar : item_.sidecars)
      payload->endings.emplace_back(EndingBehindStem(item_.main.path, sidecar.path));
    if (!signals_.empty()) payload->signals = std::move(signals_);
    outcome.outputs = set_.names();
    EarlierChoice earlier =
        TRY(FindEarlierChoice(folder_, item_, parts_.prefixes, outcome.outputs, parts_.prune));
    payload->earlier = std::move(earlier);
    outcome.payload = std::move(payload);
    AddNotes(*parts_.high, outcome.notes);
    for (const LowSide& low : parts_.lows) AddNotes(*low.side, outcome.notes);
    return {};
  }

 private:
  static std::vector<TileSide*> AllSides(const TileTaskParts& parts) {
    std::vector<TileSide*> sides = {parts.high.get()};
    for (const LowSide& low : parts.lows) sides.push_back(low.side.get());
    return sides;
  }

  /// What went wrong first: a tile that was still to be written, or what came behind it.
  Status First(Status status) {
    if (status) return status;
    TRY(writer_.Finish());
    return status;
  }

  Status CutRegion(const Region& region) {
    TileSide& high = *parts_.high;
    for (int64_t y = 0; y < region.own_rows && next_ < parts_.ys.size(); ++y) {
      TRY(writer_.MakeRoom(high, high.band().seen() + 1));
      high.band().Put(region.view.row(region.context_above + y));
      while (next_ < parts_.ys.size() && high.Has(parts_.ys[next_])) {
        const int64_t top = parts_.ys[next_];
        if (chooses_last()) {
          RankRow(top);
        } else {
          TRY(CutRow(top));
        }
        ++next_;
      }
    }
    return {};
  }

  Status CutRest() {
    if (chooses_last()) TRY(CutChosen());
    return writer_.Finish();
  }

  /// Which of the best are far enough from each other is known when all were seen: the image is read again
  /// then.
  bool chooses_last() const { return ranking_ && spacing_; }

  void RankRow(int64_t y) {
    for (const int64_t x : parts_.xs) {
      const TilePlace place{x, y};
      if (!Passes(place)) continue;
      candidates_.push_back({ScoreOf(place), place});
      signals_.Put(place, measured_);
    }
  }

  Status CutChosen() {
    const std::vector<TilePlace> chosen =
        ChooseSpaced(std::move(candidates_), static_cast<size_t>(parts_.best), parts_.min_distance);
    signals_.KeepOnly(chosen);
    if (chosen.empty()) return {};
    const std::unique_ptr<RowReader> rows = TRY(OpenRows(item_.main.path, item_.main.header, parts_.reading));
    TileSide& high = *parts_.high;
    high.band().Restart();
    for (const TilePlace& place : chosen) {
      TRY(writer_.MakeRoom(high, high.RowsFor(place.y)));
      TRY(high.band().ReadUntil(*rows, high.RowsFor(place.y)));
      TRY(ReadPartners(place.y));
      TRY(writer_.Add(place));
    }
    return {};
  }

  Status CutRow(int64_t y) {
    TRY(ReadPartners(y));
    for (const int64_t x : parts_.xs) {
      const TilePlace place{x, y};
      if (!Passes(place)) continue;
      if (spacing_ && !spacing_->Take(place)) continue;
      if (ranking_ && !Rank(place)) continue;
      TRY(writer_.Add(place));
      signals_.Put(place, measured_);
    }
    return {};
  }

  Status ReadPartners(int64_t y) {
    for (LowSide& low : parts_.lows) {
      TRY(writer_.MakeRoom(*low.side, low.side->RowsFor(y)));
      if (Status read = low.side->band().ReadUntil(*low.rows, low.side->RowsFor(y)); !read)
        return OfPartner(low.path, read.error());
    }
    return {};
  }

  /// Measures it, for its score and the list, too.
  bool Passes(const TilePlace& place) {
    if (signals_.empty()) return true;
    TileSide& high = *parts_.high;
    measured_ =
        MeasureTile(high.band().tile_layout(), high.Rows(place, high.own_tools().rows), parts_.signals);
    return !AnyDrops(parts_.rules, measured_);
  }

  /// Of the tile that was measured last.
  double ScoreOf(const TilePlace& place) const {
    return parts_.random ? RandomScore(*parts_.random, place) : ranking_->Score(measured_[parts_.by]);
  }

  /// Whether the tile is among the best so far; the one that it drives out is removed.
  bool Rank(const TilePlace& place) {
    const double score = ScoreOf(place);
    if (!ranking_->Takes(score, place)) return false;
    if (const std::optional<TilePlace> worse = ranking_->Put(score, place)) {
      Remove(*worse);
    }
    return true;
  }

  void Remove(const TilePlace& place) {
    writer_.Remove(place);
    signals_.Remove(place);
  }

  /// What could be read of the image and its partners. Tiles and pairs with nothing of it are taken back, and
  /// counted in the note.
  ReadPart TakePart(std::vector<std::string>& notes) {
    ReadPart part;
    part.Add(notes, item_.main.header, 1);
    for (const LowSide& low : parts_.lows) {
      std::vector<std::string> told = low.rows->notes();
      std::erase_if(told, [](const std::string& note) { return !IsPartNote(note); });
      part.Add(told, low.header, low.scale);
      for (const std::string& note : told)
        notes.push_back("its partner " + PrintablePath(low.path) + ": " + note);
    }
    if (part.whole()) return part;
    const int64_t left_out = LeaveOutUnread(part);
    const auto note = std::ranges::find_if(notes, IsPartNote);
    if (left_out > 0) *note += "; " + Counted(left_out, "tile") + " without a pixel of it left out";
    part.set_note(*note);
    return part;
  }

  /// @return how many, a pair being one
  int64_t LeaveOutUnread(const ReadPart& part) {
    const std::vector<std::string> made = set_.names();
    int64_t left_out = 0;
    for (const std::string& name : made) {
      const std::optional<TilePlace> place = PlaceOf(name, parts_.prefixes.front());
      if (!place || name != parts_.high->NameOf(*place)) continue;  // a partner's, or a side-car
      if (!part.HasNoneOf(*place, parts_.high->band().tile_layout().width)) continue;
      Remove(*place);
      for (const SourceFile& sidecar : item_.sidecars)
        set_.Remove(SidecarOfTile(item_.main.path, EndingBehindStem(item_.main.path, sidecar.path), name));
      ++left_out;
    }
    return left_out;
  }

  /// To its end, so that a partner that is cut short is refused wherever the last tile lies, as an image is.
  Status ReadRestOfPartners() {
    for (LowSide& low : parts_.lows) {
      if (Status read = low.side->band().ReadUntil(*low.rows, low.rows->layout().height); !read)
        return OfPartner(low.path, read.error());
    }
    return {};
  }

  /// A copy of each beside each tile, or each one of the high resolution.
  Status AddSidecars() {
    if (item_.sidecars.empty()) return {};
    const std::vector<std::string> names = set_.names();
    for (const SourceFile& sidecar : item_.sidecars) {
      Status added = AddSidecar(sidecar, names);
      if (!added) return OfSidecar(sidecar.path, added.error());
    }
    return {};
  }

  Status AddSidecar(const SourceFile& sidecar, const std::vector<std::string>& names) {
    const std::string bytes = TRY(ReadSidecar(sidecar.path, sidecar.stamp.size));
    const std::string_view ending = EndingBehindStem(item_.main.path, sidecar.path);
    for (const std::string& name : names) {
      if (!name.starts_with(parts_.prefixes.front())) continue;
      TRY(set_.Add(SidecarOfTile(item_.main.path, ending, name),
                   {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}));
    }
    return {};
  }

  static void AddNotes(const TileSide& side, std::vector<std::string>& notes) {
    notes.insert(notes.end(), side.notes().begin(), side.notes().end());
  }

  OutputFolder& folder_;
  const Item& item_;
  TileTaskParts parts_;
  OutputSet set_;
  TileSignals signals_;
  SignalValues measured_;  // of the tile that was asked for last
  std::optional<TileRanking> ranking_;
  std::optional<TileSpacing> spacing_;
  std::vector<RankedPlace> candidates_;  // where the choice comes last
  size_t next_ = 0;                      // row of tiles
  TileWriter writer_;                    // last: its threads use the others
};

}  // namespace

std::string SidecarOfTile(const std::string& image, std::string_view ending, const std::string& tile) {
  const std::string_view name = NameOf(image);
  const std::string_view extension = name.substr(StemOf(name).size());
  const std::string_view tile_name = NameOf(tile);
  const bool whole_name =
      !extension.empty() && ending.starts_with(extension) && ending.size() > extension.size();
  const std::string_view base = whole_name ? tile_name : StemOf(tile_name);
  return tile.substr(0, tile.size() - tile_name.size())
      .append(base)
      .append(ending.substr(whole_name ? extension.size() : 0));
}

std::unique_ptr<ItemTask> MakeTileTask(OutputFolder& folder, const Item& item, TileTaskParts parts) {
  return std::make_unique<TileTask>(folder, item, std::move(parts));
}

}  // namespace imgmill
