// What is filed under folders beside an output folder, where these came along with it to another place.
#include <algorithm>
#include <string_view>
#include <vector>

#include "base/path_parts.h"
#include "base/try.h"
#include "catalog/catalog_impl.h"
#include "catalog/recorded_folder.h"
#include "imgmill/catalog/finished_work.h"

namespace imgmill {
namespace {

/// A folder that work of a fingerprint was written to.
struct Written {
  int64_t id = 0;
  std::string fingerprint, way;
  bool has_row = false;  ///< that stands for it; else the fingerprint alone names it
};

Result<std::vector<Written>> WrittenBeside(Database& database) {
  std::vector<Written> all;
  Statement rows = TRY(
      database.Prepare("SELECT n.id, n.name, w.output FROM work w JOIN names n ON n.id = w.fingerprint WHERE "
                       "w.output > ?1 AND w.output < ?2 AND w.source = ?3 ORDER BY w.output, n.name"));
  const std::string first = std::string(kFolderBegin) + "/", end = std::string(kFolderBegin) + "0";
  {
    Statement::Use use(rows);
    use.Blob(first).Blob(end).Blob(kFolderSource);
    TRY(database.ForEachRow(use, "read folders", [&](const Statement::Use& row) -> Status {
      const std::string_view output = row.BlobAt(2).substr(kFolderBegin.size());
      all.push_back({row.IntegerAt(0), std::string(row.BlobAt(1)),
                     std::string(output.substr(0, output.size() - 1)), true});
      return {};
    }));
  }
  Statement names =
      TRY(database.Prepare("SELECT id, name FROM names WHERE name > ?1 AND name < ?2 ORDER BY name"));
  const std::string first_export = std::string(kExport) + "/", end_of_exports = std::string(kExport) + "0";
  Statement::Use use(names);
  use.Blob(first_export).Blob(end_of_exports);
  TRY(database.ForEachRow(use, "read exports", [&](const Statement::Use& row) -> Status {
    const std::string name(row.BlobAt(1));
    all.push_back({row.IntegerAt(0), name, name.substr(kExport.size()), false});
    return {};
  }));
  return all;
}

}  // namespace

/// Work of the fingerprint becomes that of another, which may have some already.
Status Catalog::Impl::RenameFingerprint(int64_t id, std::string_view fingerprint) {
  const int64_t other = NameId(fingerprint, false);
  Statement rename =
      TRY(database.Prepare(other != 0 ? "UPDATE OR REPLACE work SET fingerprint = ?1 WHERE fingerprint = ?2"
                                      : "UPDATE names SET name = ?1 WHERE id = ?2"));
  {
    Statement::Use use(rename);
    if (other != 0) {
      use.Integer(other).Integer(id);
    } else {
      use.Blob(fingerprint).Integer(id);
    }
    TRY(Ran(use, "rename work"));
  }
  names.clear();
  return {};
}

Result<bool> Catalog::Impl::HoldsInputs(const std::string& place) {
  Statement inputs =
      TRY(database.Prepare("SELECT 1 FROM folders WHERE path = ?1 OR (path > ?2 AND path < ?3)"));
  const std::string first = place + "/", end = place + "0";  // as in MoveRows
  Statement::Use use(inputs);
  use.Blob(place).Blob(first).Blob(end);
  return database.HasRow(use, "find folders");
}

Result<std::vector<std::string>> Catalog::Impl::KnowBeside(const std::string& from, bool copied) {
  FoldersBeside beside;
  TRY(beside.Prepare(database, from, output_folder));
  Statement put_row = TRY(
      database.Prepare("UPDATE OR REPLACE work SET output = ?1 WHERE fingerprint = ?2 AND source = ?3 AND "
                       "output = ?4"));
  const auto output_of = [](const std::string& way) { return std::string(kFolderBegin) + way + "/"; };
  std::vector<std::string> came;
  for (const Written& each : TRY(WrittenBeside(database))) {
    const std::string now = TRY(beside.At(database, each.fingerprint, each.way));
    if (now == each.way) continue;
    if (each.has_row) {
      const std::string before = output_of(each.way), after = output_of(now);
      Statement::Use use(put_row);
      use.Blob(after).Integer(each.id).Blob(kFolderSource).Blob(before);
      TRY(Ran(use, "put a folder"));
    }
    const std::string_view fingerprint = each.fingerprint;
    const bool named = !each.has_row || IsAction(fingerprint);
    if (named && fingerprint.ends_with(each.way))
      TRY(RenameFingerprint(each.id,
                            std::string(fingerprint.substr(0, fingerprint.size() - each.way.size())) + now));
    if (std::ranges::find(came, now) != came.end()) continue;
    came.push_back(now);
    // What was made of files in there: a copy's are for a run to know, by their content. Where images lie
    // that were given, or the output folder itself, a few files of ours tell nothing of the rest.
    if (copied || !each.has_row || TRY(HoldsInputs(each.way))) continue;
    TRY(MoveRows(move_files, each.way, now));
    TRY(MoveSidecars(each.way, now));
    TRY(MoveRows(move_work, each.way, now));
  }
  return came;
}

}  // namespace imgmill
