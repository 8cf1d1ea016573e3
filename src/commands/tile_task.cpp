// Rows go into a band; whenever the band holds a row of tiles, those are cut, encoded and put into the set.
#include "tile_task.h"

#include <optional>

#include "base/try.h"
#include "tile_ranking.h"

namespace imgmill {
namespace {

class TileTask final : public ItemTask {
 public:
  TileTask(OutputFolder& folder, const Item& item, TileTaskParts parts)
      : item_(item), parts_(std::move(parts)), set_(folder, item, parts_.prefixes) {
    if (parts_.best > 0) ranking_.emplace(static_cast<size_t>(parts_.best), parts_.by);
  }

  Status Map(const Region& region) override {
    for (int64_t y = 0; y < region.own_rows && next_ < parts_.ys.size(); ++y) {
      parts_.high->band().Put(region.view.row(region.context_above + y));
      while (next_ < parts_.ys.size() && parts_.high->Has(parts_.ys[next_])) {
        TRY(CutRow(parts_.ys[next_]));
        ++next_;
      }
    }
    return {};
  }

  Status Finish(Outcome& outcome) override {
    TRY(ReadRestOfPartner());
    TRY(set_.Commit());
    auto payload = std::make_unique<TilePayload>();
    payload->scale = parts_.scale;
    if (item_.partner) payload->partner = item_.partner->path;
    outcome.payload = std::move(payload);
    outcome.outputs = set_.names();
    AddNotes(*parts_.high, outcome.notes);
    if (parts_.low) AddNotes(*parts_.low, outcome.notes);
    return {};
  }

 private:
  Status CutRow(int64_t y) {
    if (parts_.low) {
      if (Status read = parts_.low->band().ReadUntil(*parts_.low_rows, parts_.low->RowsFor(y)); !read)
        return OfPartner(item_.partner->path, read.error());
    }
    for (const int64_t x : parts_.xs) {
      const TilePlace place{x, y};
      if (!Passes(place)) continue;
      if (ranking_ && !Rank(place)) continue;
      TRY(parts_.high->Write(place, set_));
      if (!parts_.low) continue;
      TRY(parts_.low->Write(place, set_));
    }
    return {};
  }

  bool Passes(const TilePlace& place) {
    if (parts_.rules.empty()) return true;
    TileSide& high = *parts_.high;
    return !AnyDrops(parts_.rules,
                     MeasureTile(high.band().tile_layout(), high.Rows(place), SignalsOf(parts_.rules)));
  }

  /// Whether the tile is among the best so far; the one that it drives out is removed.
  bool Rank(const TilePlace& place) {
    TileSide& high = *parts_.high;
    const double score = parts_.random ? RandomScore(*parts_.random, place)
                                       : ranking_->Score(high.band().tile_layout(), high.Rows(place));
    if (!ranking_->Takes(score, place)) return false;
    if (const std::optional<TilePlace> worse = ranking_->Put(score, place)) {
      set_.Remove(high.NameOf(*worse));
      if (parts_.low) set_.Remove(parts_.low->NameOf(*worse));
    }
    return true;
  }

  /// To its end, so that a partner that is cut short is refused wherever the last tile lies, as an image is.
  Status ReadRestOfPartner() {
    if (!parts_.low) return {};
    Status read = parts_.low->band().ReadUntil(*parts_.low_rows, parts_.low_rows->layout().height);
    if (!read) return OfPartner(item_.partner->path, read.error());
    return {};
  }

  static void AddNotes(const TileSide& side, std::vector<std::string>& notes) {
    notes.insert(notes.end(), side.notes().begin(), side.notes().end());
  }

  const Item& item_;
  TileTaskParts parts_;
  OutputSet set_;
  std::optional<TileRanking> ranking_;
  size_t next_ = 0;  // row of tiles
};

}  // namespace

std::unique_ptr<ItemTask> MakeTileTask(OutputFolder& folder, const Item& item, TileTaskParts parts) {
  return std::make_unique<TileTask>(folder, item, std::move(parts));
}

}  // namespace imgmill
