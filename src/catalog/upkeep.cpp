// Opens a catalog for its upkeep, and looks at the tables as they are.
#include "imgmill/catalog/upkeep.h"

#include <unistd.h>

#include <filesystem>

#include "base/try.h"
#include "base/usage_error.h"
#include "catalog/catalog_database.h"
#include "catalog/catalog_impl.h"
#include "catalog/compaction.h"
#include "catalog/schema.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/vector_file.h"

namespace imgmill {
namespace {

Result<uint64_t> Count(Database& database, const char* sql) {
  const int64_t count = TRY(database.QueryInteger(sql));
  return static_cast<uint64_t>(count);
}

}  // namespace

uint64_t DatabaseBytes(const std::string& folder) {
  uint64_t bytes = 0;
  for (const char* suffix : {"", "-wal"}) {
    std::error_code none;
    const auto size = std::filesystem::file_size(CatalogDatabase(folder) + suffix, none);
    if (!none) bytes += size;
  }
  return bytes;
}

Status OpenCatalog(const std::string& folder, Database& database) {
  const std::string path = CatalogDatabase(folder);
  if (::access(path.c_str(), F_OK) != 0) return UsageError(PrintablePath(folder) + " holds no catalog");
  TRY(database.Open(path));
  TRY(PrepareSchema(database, path));
  return FinishCompaction(database, folder);
}

Result<CatalogFigures> LookAtCatalog(const std::string& folder) {
  Database database;
  TRY(OpenCatalog(folder, database));
  CatalogFigures figures;
  const uint64_t files = TRY(Count(database, "SELECT count(*) FROM files"));
  const uint64_t contents = TRY(Count(database, "SELECT count(DISTINCT content) FROM files"));
  const uint64_t finished = TRY(Count(database, "SELECT count(*) FROM work WHERE state = 1"));
  figures.files = files;
  figures.contents = contents;
  figures.finished = finished;
  Statement facts = TRY(database.Prepare(
      "SELECT names.name, count(*), sum(length(value)) FROM facts JOIN names ON names.id = facts.name "
      "GROUP BY names.name ORDER BY 3 DESC, 1"));
  Statement::Use use(facts);
  TRY(database.ForEachRow(use, "count facts", [&](const Statement::Use& row) -> Status {
    figures.facts.push_back({std::string(row.BlobAt(0)), static_cast<uint64_t>(row.IntegerAt(1)),
                             static_cast<uint64_t>(row.IntegerAt(2))});
    return {};
  }));
  for (const auto& [kind, dimension] : VectorFile::KindsIn(folder)) {
    const std::unique_ptr<VectorFile> file = TRY(VectorFile::Open(folder, kind, 0));
    if (!file) continue;
    std::error_code none;
    const auto bytes = std::filesystem::file_size(file->path(), none);
    figures.vectors.push_back({kind, dimension, file->rows(), none ? 0 : bytes});
  }
  figures.bytes = DatabaseBytes(folder);
  return figures;
}

}  // namespace imgmill
