// Files are read once for each folder, and only after the output folder has come to another place.
#include "catalog/folders_beside.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/path_parts.h"
#include "base/try.h"
#include "catalog/catalog_database.h"
#include "catalog/catalog_impl.h"
#include "catalog/recorded_folder.h"
#include "dataset/image_names.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// Files of a folder that are looked at, from the first one of the record to the last.
constexpr int64_t kMostLookedAt = 64;
/// Of those, the smallest are read.
constexpr int64_t kMostBytesRead = int64_t{256} << 20;

/// Work of a fingerprint, also where side-cars are part of it; no row that stands for a folder or a set.
constexpr char kFilesOf[] =
    " FROM names n CROSS JOIN work w ON w.fingerprint = n.id WHERE (n.name = ?1 OR (n.name > ?2 AND n.name < "
    "?3)) AND w.state = 1 AND w.source <> ?4 AND substr(w.output, -1) <> ?5";

/// "/b/dropped" of "/a/dropped", where "/a/out" is "/b/out" now.
std::string AsBefore(const std::string& folder, const std::string& before, const std::string& now) {
  const std::filesystem::path way = std::filesystem::path(folder).lexically_relative(before);
  return WithoutRedundancy((now / way).lexically_normal().string());
}

/// What the record says of one name: each row of it may have been the last.
struct Recorded {
  std::string path;
  std::vector<std::pair<int64_t, ContentDigest>> rows;  ///< sizes and contents
  int64_t size = 0;                                     ///< of the file that is there

  bool MayBe() const {
    return std::ranges::any_of(rows, [&](const auto& row) { return row.first == size; });
  }
  bool Is(const ContentDigest& content) const {
    return std::ranges::any_of(rows, [&](const auto& row) { return row.second == content; });
  }
};

/// Whether most of them are there as they were written, and few as others.
bool MostAreThere(const std::vector<Recorded>& looked_at) {
  int64_t as_written = 0, others = 0, absent = 0;
  const auto differs = [&](const Recorded& file) {
    others += IsTaken(AT_FDCWD, file.path, /*videos=*/false) ? 1 : 0;  // captions are there to be edited
  };
  std::vector<Recorded> to_read;
  for (Recorded file : looked_at) {
    const Result<FileStamp> stamp = StampOf(file.path);
    if (stamp) file.size = stamp->size;
    if (!stamp) {
      ++absent;
    } else if (!file.MayBe()) {
      differs(file);
    } else {
      to_read.push_back(std::move(file));
    }
  }
  std::ranges::sort(to_read, {}, &Recorded::size);
  int64_t bytes = 0;
  for (const Recorded& file : to_read) {
    bytes += file.size;
    if (bytes > kMostBytesRead) break;
    const Result<ContentDigest> content = DigestOf(file.path);
    if (content && file.Is(*content)) {
      ++as_written;
    } else {
      differs(file);
    }
  }
  return as_written > 0 && as_written >= others + absent && as_written >= 2 * others;
}

/// Whether the record of another output folder names the folder as one that its work wrote to. One that
/// cannot be read may.
bool IsNamedBy(const std::string& output_folder, const std::string& folder) {
  const std::string file = CatalogDatabase(Join(output_folder, ".imgmill"));
  std::error_code none;
  if (std::filesystem::file_size(file + "-wal", none) > 0 && !none) return true;  // is not seen below
  const auto is_named = [&]() -> Result<bool> {
    Database database;
    TRY(database.OpenUnchanging(file));
    std::vector<std::string> ways = {folder};
    {
      Statement home = TRY(database.Prepare(kHomeQuery));
      Statement::Use use(home);
      // It may have come here itself, and call the folder as it was called there.
      if (TRY(database.HasRow(use, "find the catalog's folder")))
        ways.push_back(AsBefore(folder, output_folder, ParentOf(std::string(use.BlobAt(0)))));
    }
    Statement named = TRY(
        database.Prepare("SELECT 1 FROM work WHERE output = ?1 AND source = ?2 UNION ALL SELECT 1 FROM names "
                         "WHERE name = ?3"));
    for (const std::string& way : ways) {
      const std::string output = std::string(kFolderBegin) + way + "/", name = std::string(kExport) + way;
      Statement::Use use(named);
      use.Blob(output).Blob(kFolderSource).Blob(name);
      if (TRY(database.HasRow(use, "find a folder"))) return true;
    }
    return false;
  };
  const Result<bool> named = is_named();
  return !named || *named;
}

/// Whether it is another output folder, or in one, or one beside names it as its own.
bool IsAnothers(const std::string& folder, const std::string& output_folder) {
  if (OutputFolderOf(folder)) return true;
  for (const std::string& parent : {ParentOf(folder), ParentOf(output_folder)}) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(parent, none)) {
      const std::string other = entry.path().string();
      if (other == output_folder || !HoldsCatalog(Join(other, ".imgmill"))) continue;
      if (IsNamedBy(other, folder)) return true;
    }
  }
  return false;
}

}  // namespace

Status FoldersBeside::Prepare(Database& database, const std::string& recorded,
                              const std::string& output_folder) {
  recorded_ = recorded;
  output_folder_ = output_folder;
  known_.clear();
  Statement count =
      TRY(database.Prepare((std::string("SELECT count(DISTINCT w.output)") + kFilesOf).c_str()));
  count_ = std::move(count);
  Statement files = TRY(database.Prepare(
      (std::string("SELECT w.output, w.size, w.digest") + kFilesOf + " ORDER BY w.output").c_str()));
  files_ = std::move(files);
  return {};
}

Result<std::string> FoldersBeside::At(const Database& database, const std::string& fingerprint,
                                      const std::string& way) {
  if (!way.starts_with('/')) return AtEndOf(way, output_folder_);
  if (recorded_.empty() || output_folder_.empty() || recorded_ == output_folder_) return way;
  const auto key = std::make_pair(fingerprint, way);
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  std::string now = AsBefore(way, recorded_, output_folder_);
  const bool came_along =
      now != way && TRY(HasFilesOf(database, fingerprint, now)) && !IsAnothers(now, output_folder_);
  return known_[key] = came_along ? now : way;
}

Result<bool> FoldersBeside::HasFilesOf(const Database& database, const std::string& fingerprint,
                                       const std::string& folder) {
  std::error_code none;
  if (!std::filesystem::is_directory(folder, none)) return false;
  const std::string first = fingerprint + std::string(kWithSidecars), end = first + "g";  // behind hex digits
  const auto bind = [&](Statement::Use& use) {
    use.Blob(fingerprint).Blob(first).Blob(end).Blob(kFolderSource).Blob("/");
  };
  int64_t files = 0;
  {
    Statement::Use use(count_);
    bind(use);
    if (TRY(database.HasRow(use, "count files"))) files = use.IntegerAt(0);
  }
  const int64_t every = (files + kMostLookedAt - 1) / kMostLookedAt;
  int64_t number = -1;
  std::string last;
  std::vector<Recorded> looked_at;
  Statement::Use use(files_);
  bind(use);
  TRY(database.ForEachRow(use, "read files", [&](const Statement::Use& row) -> Status {
    const std::string_view name = row.BlobAt(0);
    const bool is_next = number < 0 || name != last;
    if (is_next) last = name;
    number += is_next ? 1 : 0;
    if (number % every != 0) return {};
    if (is_next) looked_at.push_back({Join(folder, name), {}});
    looked_at.back().rows.emplace_back(row.IntegerAt(1), DigestFrom(row.BlobAt(2)));
    return {};
  }));
  return MostAreThere(looked_at);
}

}  // namespace imgmill
