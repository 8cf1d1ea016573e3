// A catalog notes which output folder it is of. Where that was copied or moved, what is filed under its old
// place is of the files that came along.
#include "base/path_parts.h"
#include "base/try.h"
#include "catalog/catalog_impl.h"
#include "catalog/recorded_folder.h"

namespace imgmill {

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
  if (before == home) return {};
  TRY(Begin());
  if (!before.empty()) {
    const std::string from = ParentOf(before);
    TRY(MoveRows(move_files, from, output));
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
  return Commit();
}

}  // namespace imgmill
