// Rows have names below the folder that was written to, which is noted for each fingerprint: a path is taken
// apart at each of its slashes.
#include "deleted_outputs.h"

#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/path_parts.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// @param content  that the file had; nothing: whatever that was
WorkRows RowsAt(Catalog& catalog, const std::string& path, const std::optional<ContentDigest>& content,
                WorkRow::State before, WorkRow::State now) {
  WorkRows rows;
  for (size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0;
       slash = path.rfind('/', slash - 1)) {
    const std::string folder = path.substr(0, slash);
    for (FoundWork& found : catalog.FindOutputs(path.substr(slash + 1))) {
      const std::string_view fingerprint = found.key.fingerprint;
      const std::string_view options = fingerprint.substr(0, fingerprint.find(kWithSidecars));
      if (found.row.state != before || (content && found.row.digest != *content)) continue;
      if (!catalog.FindWork(KeyOfFolder(folder, catalog.folder(), options))) continue;
      found.row.state = now;
      rows.emplace_back(std::move(found.key), found.row);
    }
  }
  return rows;
}

/// With the rows of where the file was before actions moved it to where these have it: it is gone from there
/// as well, unless it was made there again.
void AddWhereItWas(Catalog& catalog, WorkRow::State before, WorkRow::State now, WorkRows& rows) {
  std::set<std::string> seen;  // it may have been moved to and fro
  for (size_t i = 0; i < rows.size(); ++i) {
    const WorkKey key = rows[i].first;
    if (!IsMove(key.fingerprint) || Exists(key.source) || !seen.insert(key.source).second) continue;
    WorkRows more = RowsAt(catalog, key.source, key.content, before, now);
    std::move(more.begin(), more.end(), std::back_inserter(rows));
  }
}

}  // namespace

WorkRows RowsOfDeleted(Catalog& catalog, const std::string& path) {
  constexpr auto kBefore = WorkRow::State::kDone, kNow = WorkRow::State::kIntent;
  WorkRows rows = RowsAt(catalog, AbsoluteEntry(path), std::nullopt, kBefore, kNow);
  AddWhereItWas(catalog, kBefore, kNow, rows);
  return rows;
}

WorkRows RowsOfTaken(Catalog& catalog, const std::string& path) {
  WorkRows rows =
      RowsAt(catalog, AbsoluteEntry(path), std::nullopt, WorkRow::State::kDone, WorkRow::State::kIntent);
  std::erase_if(rows, [](const auto& each) { return IsAction(each.first.fingerprint); });
  return rows;
}

WorkRows RowsOfRestored(Catalog& catalog, const std::string& path) {
  constexpr auto kBefore = WorkRow::State::kIntent, kNow = WorkRow::State::kDone;
  WorkRows rows = RowsAt(catalog, AbsoluteEntry(path), std::nullopt, kBefore, kNow);
  if (rows.empty()) return rows;
  const Result<ContentDigest> digest = DigestOf(path);
  std::erase_if(rows, [&](const auto& each) { return !digest || each.second.digest != *digest; });
  AddWhereItWas(catalog, kBefore, kNow, rows);
  return rows;
}

}  // namespace imgmill
