// Rows have names below the folder that was written to, which is noted for each fingerprint: a path is taken
// apart at each of its slashes.
#include "deleted_outputs.h"

#include <string_view>

#include "base/path_parts.h"
#include "imgmill/catalog/finished_work.h"

namespace imgmill {
namespace {

WorkRows RowsAt(Catalog& catalog, const std::string& path, WorkRow::State before, WorkRow::State now) {
  WorkRows rows;
  const std::string entry = AbsoluteEntry(path);
  for (size_t slash = entry.rfind('/'); slash != std::string::npos && slash > 0;
       slash = entry.rfind('/', slash - 1)) {
    const std::string folder = entry.substr(0, slash);
    for (FoundWork& found : catalog.FindOutputs(entry.substr(slash + 1))) {
      const std::string_view fingerprint = found.key.fingerprint;
      const std::string_view options = fingerprint.substr(0, fingerprint.find(kWithSidecars));
      if (found.row.state != before || !catalog.FindWork(KeyOfFolder(folder, catalog.folder(), options)))
        continue;
      found.row.state = now;
      rows.emplace_back(std::move(found.key), found.row);
    }
  }
  return rows;
}

}  // namespace

WorkRows RowsOfDeleted(Catalog& catalog, const std::string& path) {
  return RowsAt(catalog, path, WorkRow::State::kDone, WorkRow::State::kIntent);
}

WorkRows RowsOfRestored(Catalog& catalog, const std::string& path) {
  WorkRows rows = RowsAt(catalog, path, WorkRow::State::kIntent, WorkRow::State::kDone);
  if (rows.empty()) return rows;
  const Result<ContentDigest> digest = DigestOf(path);
  std::erase_if(rows, [&](const auto& each) { return !digest || each.second.digest != *digest; });
  return rows;
}

}  // namespace imgmill
