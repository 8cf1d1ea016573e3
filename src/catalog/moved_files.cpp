// A move's row has its target's folder in the fingerprint, and its source and content in the key.
#include "catalog/moved_files.h"

#include <algorithm>

#include "base/path_parts.h"
#include "base/try.h"
#include "catalog/catalog_impl.h"
#include "catalog/recorded_folder.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// Steps that a file is followed: more than one would be moved by one action after the other.
constexpr size_t kMostMoves = 64;

}  // namespace

Status MovedFiles::Prepare(Database& database, const std::string& output_folder) {
  // Few fingerprints are moves, and within one the source is looked up.
  Statement prepared =
      TRY(database.Prepare("SELECT n.name, w.output FROM names n CROSS JOIN work w ON w.fingerprint = n.id "
                           "WHERE n.name > ?1 AND n.name < ?2 AND w.source = ?3 AND (?4 IS NULL OR w.content "
                           "= ?4) AND w.state = 1 "
                           "ORDER BY n.name, w.output"));
  moves_from_ = std::move(prepared);
  output_folder_ = recorded_ = output_folder;
  Statement home = TRY(database.Prepare(kHomeQuery));
  Statement::Use use(home);
  if (!output_folder.empty() && TRY(database.HasRow(use, "find the catalog's folder")))
    recorded_ = ParentOf(std::string(use.BlobAt(0)));
  return beside_.Prepare(database, recorded_, output_folder_);
}

std::string MovedFiles::AsRecorded(const std::string& path) const {
  const bool below = !output_folder_.empty() && path.starts_with(Join(output_folder_, ""));
  return below ? recorded_ + path.substr(output_folder_.size()) : path;
}

Result<std::vector<std::string>> MovedFiles::PlacesOf(const Database& database, const std::string& path,
                                                      const std::optional<ContentDigest>& content) {
  const std::string source = AsRecorded(path);
  std::vector<std::string> places;
  for (const std::string& first : BeginningsOfMoves()) {
    std::string end = first;
    ++end.back();
    Statement::Use use(moves_from_);
    use.Blob(first).Blob(end).Blob(source);
    if (content) use.Blob(Bytes(*content));
    const auto add = [&](const Statement::Use& row) -> Status {
      const std::string move(row.BlobAt(0));
      const std::string folder = TRY(FolderAt(database, move, move.substr(first.size())));
      places.push_back(Join(folder, row.BlobAt(1)));
      return {};
    };
    TRY(database.ForEachRow(use, "find moves", add));
  }
  return places;
}

Result<std::vector<std::string>> MovedFiles::Find(const Database& database, const std::string& path,
                                                  const std::optional<ContentDigest>& content) {
  std::vector<std::string> found;
  std::string from = path;
  for (size_t i = 0; i < kMostMoves; ++i) {
    for (std::string& place : TRY(PlacesOf(database, from, content))) {
      if (std::ranges::find(found, place) == found.end()) found.push_back(std::move(place));
    }
    if (i == found.size()) break;
    from = found[i];
  }
  return found;
}

}  // namespace imgmill
