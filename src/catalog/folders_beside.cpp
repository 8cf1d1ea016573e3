// Files are read once for each folder, and only after the output folder has come to another place.
#include "catalog/folders_beside.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include "base/path_parts.h"
#include "base/try.h"
#include "catalog/catalog_impl.h"
#include "catalog/recorded_folder.h"
#include "dataset/image_names.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// Files of a folder that are looked at, from the first one of the record to the last.
constexpr int64_t kMostLookedAt = 64;

/// Work of a fingerprint, also where side-cars are part of it; no row that stands for a folder or a set.
constexpr char kFilesOf[] =
    " FROM names n CROSS JOIN work w ON w.fingerprint = n.id WHERE (n.name = ?1 OR (n.name > ?2 AND n.name < "
    "?3)) AND w.state = 1 AND w.source <> ?4 AND substr(w.output, -1) <> ?5";

/// "/b/dropped" of "/a/dropped", where "/a/out" is "/b/out" now.
std::string AsBefore(const std::string& folder, const std::string& before, const std::string& now) {
  const std::filesystem::path way = std::filesystem::path(folder).lexically_relative(before);
  return WithoutRedundancy((now / way).lexically_normal().string());
}

}  // namespace

Status FoldersBeside::Prepare(Database& database, const std::string& recorded,
                              const std::string& output_folder) {
  recorded_ = recorded;
  output_folder_ = output_folder;
  known_.clear();
  Statement count = TRY(database.Prepare((std::string("SELECT count(*)") + kFilesOf).c_str()));
  count_ = std::move(count);
  Statement files =
      TRY(database.Prepare((std::string("SELECT w.output, w.size, w.digest") + kFilesOf).c_str()));
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
  const bool came_along = now != way && TRY(HasFilesOf(database, fingerprint, now));
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
  const int64_t every = std::max<int64_t>(1, files / kMostLookedAt);
  int64_t number = 0, as_written = 0, others = 0;
  Statement::Use use(files_);
  bind(use);
  TRY(database.ForEachRow(use, "read files", [&](const Statement::Use& row) -> Status {
    if (number++ % every != 0) return {};
    const std::string path = Join(folder, row.BlobAt(0));
    const Result<FileStamp> stamp = StampOf(path);
    if (!stamp) return {};
    const bool may_be = stamp->size == row.IntegerAt(1);
    const Result<ContentDigest> digest = may_be ? DigestOf(path) : Result<ContentDigest>(ContentDigest{});
    if (may_be && digest && *digest == DigestFrom(row.BlobAt(2))) {
      ++as_written;
    } else if (IsTaken(AT_FDCWD, path, /*videos=*/false)) {
      ++others;  // captions are there to be edited
    }
    return {};
  }));
  return as_written > others;
}

}  // namespace imgmill
