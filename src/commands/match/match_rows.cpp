// Paths come in their order, vectors lie in that in which they were computed: so they are looked at later,
// from one end of the file to the other.
#include "match_rows.h"

#include <algorithm>

#include "base/try.h"
#include "commands/pack/packed_fact.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

bool IsBelow(const std::vector<std::string>& folders, const std::string& path) {
  return folders.empty() || std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
           return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
         });
}

Result<bool> IsWhole(const VectorFile& file, const VectorFile::Place& place, std::span<float> vector) {
  const Status read = file.Read(place, vector);
  if (!read && read.error().code != Code::kMalformed) return read.error();
  return read.ok();
}

Error Stopped() {
  return {Stage::kReduce, Code::kInterrupted, "stopped while looking for the images to search"};
}

}  // namespace

size_t RowFinder::PooledBytes(uint64_t known, size_t dimension) {
  return known * sizeof(PlacedRow) + dimension * sizeof(float);
}

Result<SearchedRows> RowFinder::Find(const MatchSource& source) {
  const uint64_t known = TRY(source.store.catalog->CountFiles());
  PoolArray<PlacedRow> placed(known);
  size_t count = 0;
  SearchedRows here;
  here.store = &source.store;
  here.first = static_cast<uint32_t>(found_.images.size());
  TRY(Scan(source, placed, count));
  here.end = static_cast<uint32_t>(found_.images.size());
  here.rows = PoolArray<SearchRow>(count);
  TRY(Check(*source.store.file, placed, count, here));
  return here;
}

Status RowFinder::Scan(const MatchSource& source, PoolArray<PlacedRow>& placed, size_t& count) {
  Catalog& catalog = *source.store.catalog;
  const auto see = [&](const std::string& path, const KnownFile& file,
                       const std::optional<std::string>& value) {
    VectorFile::Place place;
    if (!IsNew(source, path)) return !services_.stop->StopRequested();
    if (!value) ++found_.without_vector;
    if (Unpack(value, place) && StillThere(path, file, catalog) && count < placed.size()) {
      placed[count++] = {{place.row, static_cast<uint32_t>(found_.images.size())}, place.checksum};
      found_.images.Add(path);
    }
    return !services_.stop->StopRequested();
  };
  const uint64_t changed_before = found_.changed;
  TRY(catalog.ForEachFileAndFact(fact_, see));
  if (found_.changed > changed_before)
    found_.changed_below.insert(found_.changed_below.end(), source.embedded.begin(), source.embedded.end());
  if (!noted_) return noted_;
  if (services_.stop->StopRequested()) return Stopped();
  return {};
}

Status RowFinder::Check(const VectorFile& file, PoolArray<PlacedRow>& placed, size_t count,
                        SearchedRows& here) {
  std::sort(placed.data(), placed.data() + count,
            [](const PlacedRow& a, const PlacedRow& b) { return a.at.row < b.at.row; });
  PoolArray<float> vector(static_cast<size_t>(file.dimension()));
  size_t damaged = 0;
  VectorFile::Place last;
  bool whole = false;
  for (size_t i = 0; i < count; ++i) {
    if (services_.stop->StopRequested()) return Stopped();
    const PlacedRow row = placed[i];
    const VectorFile::Place place{row.at.row, row.checksum};
    // Images of one content share a row.
    if (i == 0 || place.row != last.row || place.checksum != last.checksum) {
      const bool is_whole = TRY(IsWhole(file, place, vector.span()));
      whole = is_whole;
    }
    last = place;
    if (whole) {
      here.rows[here.count++] = row.at;
    } else {
      placed[damaged++] = row;
    }
  }
  if (damaged == 0) return {};
  damaged_.push_back({damaged, file.path()});
  return LeaveOut(placed.span().first(damaged), here);
}

/// As if they had never been found.
Status RowFinder::LeaveOut(std::span<PlacedRow> damaged, SearchedRows& here) {
  const auto id_of = [](const PlacedRow& row) { return row.at.id; };
  std::ranges::sort(damaged, {}, id_of);
  const auto below = [&](uint32_t id) {
    return static_cast<uint32_t>(std::ranges::lower_bound(damaged, id, {}, id_of) - damaged.begin());
  };
  for (size_t i = 0; i < here.count; ++i) here.rows[i].id -= below(here.rows[i].id);
  here.end -= static_cast<uint32_t>(damaged.size());
  RecordTable<std::string> kept;
  RecordTable<std::string>::Reader reader(found_.images);
  uint32_t id = 0;
  for (auto next = damaged.begin();; ++id) {
    const std::optional<std::string> path = TRY(reader.Next());
    if (!path) break;
    if (next != damaged.end() && next->at.id == id) {
      ++next;
    } else {
      kept.Add(*path);
    }
  }
  found_.images = std::move(kept);
  return {};
}

/// Whether no source before this one searches that file, and this one does.
bool RowFinder::IsNew(const MatchSource& source, const std::string& path) const {
  for (const MatchSource& earlier : sources_) {
    if (&earlier == &source) break;
    if (IsBelow(earlier.folders, path)) return false;
  }
  return IsBelow(source.folders, path);
}

/// What was only renamed to and fro, or linked, is looked at by content once, and noted.
bool RowFinder::StillThere(const std::string& path, const KnownFile& file, Catalog& catalog) {
  const Result<FileStamp> now = StampOf(path);
  if (!now) {
    ++found_.gone;
    return false;
  }
  if (*now == file.stamp) return true;
  const Result<bool> same = IsAsSeen(path, file.stamp, file.content);
  if (!same || !*same) {
    ++found_.changed;
    return false;
  }
  if (Status put = catalog.PutFile(path, {*now, file.content}); !put && noted_) noted_ = put;
  return true;
}

}  // namespace imgmill
