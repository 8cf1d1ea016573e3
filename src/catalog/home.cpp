// A catalog notes which output folder it is of. Where that was copied or moved, what is filed under its old
// place is of the files that came along.
#include <algorithm>

#include "base/path_parts.h"
#include "base/same_file.h"
#include "base/try.h"
#include "catalog/catalog_database.h"
#include "catalog/catalog_impl.h"
#include "catalog/recorded_folder.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/file_identity.h"

namespace imgmill {
namespace {

/// Of no content: by which the catalog's folder is known again where it was moved to.
constexpr char kIdentityFact[] = "folder/1";

/// "" where the file system does not tell.
std::string IdentityText(const std::string& folder) {
  const std::optional<FolderIdentity> identity = IdentityOf(folder);
  return identity ? std::to_string(identity->inode) + " " + std::to_string(identity->born_ns) : "";
}

/// As lines of their own, NUL at the end of each.
std::string TextOf(const std::vector<std::string>& folders) {
  std::string text;
  for (const std::string& folder : folders) text.append(folder).push_back('\0');
  return text;
}

/// Whether a catalog of its own is where this one was: it is a copy of that. One folder may also have two
/// paths, as where it is mounted twice.
bool IsAnother(const std::string& before, const std::string& folder) {
  return HoldsCatalog(before) && !IsSameFile(CatalogDatabase(before), CatalogDatabase(folder));
}

/// What was moved out of the folder that this is a copy of did not come along: it is that folder's still, and
/// is not missing there.
/// @param came_along  folders beside it of which copies lie beside this one
Status ForgetMovesOutOf(Database& database, const std::string& from,
                        const std::vector<std::string>& came_along) {
  // The way to a folder outside is absolute.
  Statement moves = TRY(database.Prepare("SELECT id, name FROM names WHERE name > ?1 AND name < ?2"));
  Statement forget =
      TRY(database.Prepare("DELETE FROM work WHERE fingerprint = ?1 AND source > ?2 AND source < ?3"));
  const std::string first_source = from + "/", end_of_sources = from + "0";  // "0" follows the slash
  for (const std::string& move : BeginningsOfMoves()) {
    const std::string first = move + "/", end = move + "0";
    Statement::Use use(moves);
    use.Blob(first).Blob(end);
    const auto forget_them = [&](const Statement::Use& row) -> Status {
      if (std::ranges::find(came_along, row.BlobAt(1).substr(move.size())) != came_along.end()) return {};
      Statement::Use of_move(forget);
      of_move.Integer(row.IntegerAt(0)).Blob(first_source).Blob(end_of_sources);
      return database.Run(of_move, "forget moves");
    };
    TRY(database.ForEachRow(use, "find moves", forget_them));
  }
  return {};
}

}  // namespace

std::string Catalog::Impl::FindNoted(std::string_view name) {
  const int64_t fact = NameId(name, false);
  if (fact == 0) return {};
  const ContentDigest none{};
  Statement::Use use(find_fact);
  use.Integer(fact).Blob(Bytes(none));
  return Row(use, "find a fact") ? std::string(use.BlobAt(0)) : "";
}

Status Catalog::Impl::PutNoted(std::string_view name, std::string_view value) {
  if (FindNoted(name) == value) return {};
  TRY(Begin());
  const ContentDigest none{};
  Statement::Use use(put_fact);
  use.Integer(NameId(name, true)).Blob(Bytes(none)).Blob(value);
  return Ran(use, "put a fact");
}

Status Catalog::Impl::KnowHome() {
  const std::string output = OutputFolderOfCatalog(folder);
  if (output.empty()) return {};
  const std::string home = Join(output, NameOf(folder));  // no input folder is called so
  std::string before;
  {
    Statement query = TRY(database.Prepare(kHomeQuery));
    Statement::Use use(query);
    if (Row(use, "find the catalog's folder")) before = use.BlobAt(0);
  }
  const std::string identity = IdentityText(folder), noted = FindNoted(kIdentityFact);
  if (before == home) {
    TRY(PutNoted(kIdentityFact, identity));
    return Commit();
  }
  TRY(Begin());
  if (!before.empty()) {
    const std::string from = ParentOf(before);
    // A later run may have made a catalog where this one was before it was moved away.
    const bool is_it = !identity.empty() && identity == noted;
    const bool copied = !is_it && IsAnother(before, folder);
    const std::vector<std::string> came_along = TRY(KnowBeside(from, copied));
    if (copied) TRY(ForgetMovesOutOf(database, from, came_along));
    TRY(PutNoted(kCameAlongFact, TextOf(came_along)));
    TRY(MoveRows(move_files, from, output));
    TRY(MoveSidecars(from, output));
    TRY(MoveRows(move_work, from, output));
    Statement::Use use(drop_folder);
    use.Blob(before);
    TRY(Ran(use, "forget the catalog's old folder"));
  }
  {
    Statement::Use use(put_folder);
    use.Blob(home).Integer(0).Integer(0);
    TRY(Ran(use, "put the catalog's folder"));
  }
  TRY(PutNoted(kIdentityFact, identity));
  return Commit();
}

}  // namespace imgmill
