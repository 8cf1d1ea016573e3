#include "imgmill/catalog/durable_rows.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/unique_fd.h"
#include "catalog/catalog_database.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"

namespace imgmill {

Status MakeRowsDurable(const Catalog& catalog) {
  if (catalog.folder().empty()) return {};
  const std::string path = CatalogDatabase(catalog.folder()) + "-wal";
  const UniqueFd journal(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!journal.valid()) {
    if (errno == ENOENT) return {};
    return ErrnoError(Stage::kCatalog, errno, "open " + PrintablePath(path));
  }
  if (::fdatasync(journal.get()) == 0 || errno == EINVAL || errno == EROFS) return {};
  return ErrnoError(Stage::kCatalog, errno, "sync " + PrintablePath(path));
}

}  // namespace imgmill
