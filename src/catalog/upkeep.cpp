// Looks at the tables as they are, and takes rows out.
#include "imgmill/catalog/upkeep.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "archive/archive_path.h"
#include "base/try.h"
#include "catalog/catalog_impl.h"
#include "catalog/compaction.h"
#include "catalog/schema.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/vector_file.h"

namespace imgmill {
namespace {

constexpr size_t kFilesAtOnce = 1000;

std::string DatabaseOf(const std::string& folder) {
  return folder + (folder.ends_with('/') ? "" : "/") + "catalog.sqlite";
}

/// With the part that is not in the file itself yet.
uint64_t BytesOf(const std::string& folder) {
  uint64_t bytes = 0;
  for (const char* suffix : {"", "-wal"}) {
    std::error_code none;
    const auto size = std::filesystem::file_size(DatabaseOf(folder) + suffix, none);
    if (!none) bytes += size;
  }
  return bytes;
}

Result<uint64_t> Count(Database& database, const char* sql) {
  const int64_t count = TRY(database.QueryInteger(sql));
  return static_cast<uint64_t>(count);
}

bool IsGone(const std::string& path) {
  struct stat there = {};
  // A link counts, wherever it leads; a member of an archive has no lstat.
  return ::lstat(path.c_str(), &there) != 0 && StatPath(path, &there) != 0 &&
         (errno == ENOENT || errno == ENOTDIR);
}

/// Takes files out, and the facts of their contents once no other file has them.
class Pruner {
 public:
  Pruner(Database& database, bool dry_run) : database_(database), dry_run_(dry_run) {}

  Status Prepare() {
    const auto prepare = [&](Statement& statement, const char* sql) -> Status {
      Statement made = TRY(database_.Prepare(sql));
      statement = std::move(made);
      return {};
    };
    TRY(prepare(after_, "SELECT path, content FROM files WHERE path > ? ORDER BY path LIMIT ?"));
    TRY(prepare(drop_file_, "DELETE FROM files WHERE path = ?"));
    return database_.Execute("CREATE TEMP TABLE gone (content BLOB PRIMARY KEY) WITHOUT ROWID");
  }

  Status Run(const StopFlag& stop, PrunedCatalog& pruned) {
    std::string after;
    while (true) {
      if (stop.StopRequested())
        return Error{Stage::kCatalog, Code::kInterrupted, "stopped while looking for files"};
      const std::vector<std::pair<std::string, std::string>> files = FilesAfter(after);
      if (files.empty()) return {};
      after = files.back().first;
      std::vector<std::pair<std::string, std::string>> gone;
      for (const auto& file : files) {
        if (IsGone(file.first)) gone.push_back(file);
      }
      pruned.files += gone.size();
      if (!dry_run_ && !gone.empty()) TRY(Drop(gone));
    }
  }

  /// Once all files have been looked at: a content may have moved to another path.
  Result<uint64_t> DropFacts() {
    TRY(database_.Execute("DELETE FROM gone WHERE content IN (SELECT content FROM files)"));
    const uint64_t before = TRY(Count(database_, "SELECT count(*) FROM facts"));
    TRY(database_.Execute(
        "DELETE FROM facts WHERE content IN (SELECT content FROM gone);"
        "DELETE FROM names WHERE id NOT IN (SELECT name FROM facts UNION SELECT fingerprint FROM work);"));
    const uint64_t left = TRY(Count(database_, "SELECT count(*) FROM facts"));
    return before - left;
  }

 private:
  std::vector<std::pair<std::string, std::string>> FilesAfter(const std::string& after) {
    std::vector<std::pair<std::string, std::string>> files;
    Statement::Use use(after_);
    use.Blob(after).Integer(int64_t{kFilesAtOnce});
    while (use.Step() == SQLITE_ROW) files.emplace_back(use.BlobAt(0), use.BlobAt(1));
    return files;
  }

  Status Drop(const std::vector<std::pair<std::string, std::string>>& gone) {
    TRY(database_.Execute("BEGIN IMMEDIATE"));
    Statement note = TRY(database_.Prepare("INSERT OR IGNORE INTO gone VALUES (?)"));
    for (const auto& [path, content] : gone) {
      Statement::Use noting(note);
      const bool noted = noting.Blob(content).Step() == SQLITE_DONE;
      Statement::Use dropping(drop_file_);
      if (!noted || dropping.Blob(path).Step() != SQLITE_DONE) return database_.LastError("forget a file");
    }
    return database_.Execute("COMMIT");
  }

  Database& database_;
  const bool dry_run_;
  Statement after_, drop_file_;
};

}  // namespace

Status OpenCatalog(const std::string& folder, Database& database) {
  const std::string path = DatabaseOf(folder);
  if (::access(path.c_str(), F_OK) != 0)
    return Error{Stage::kConfigure, Code::kUsage, PrintablePath(folder) + " holds no catalog"};
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
  while (use.Step() == SQLITE_ROW)
    figures.facts.push_back({std::string(use.BlobAt(0)), static_cast<uint64_t>(use.IntegerAt(1)),
                             static_cast<uint64_t>(use.IntegerAt(2))});
  for (const auto& [kind, dimension] : VectorFile::KindsIn(folder)) {
    const std::unique_ptr<VectorFile> file = TRY(VectorFile::Open(folder, kind, 0));
    if (!file) continue;
    std::error_code none;
    const auto bytes = std::filesystem::file_size(file->path(), none);
    figures.vectors.push_back({kind, dimension, file->rows(), none ? 0 : bytes});
  }
  figures.bytes = BytesOf(folder);
  return figures;
}

Result<PrunedCatalog> PruneCatalog(const std::string& folder, bool dry_run, const StopFlag& stop) {
  Database database;
  TRY(OpenCatalog(folder, database));
  PrunedCatalog pruned;
  pruned.bytes_before = pruned.bytes_after = BytesOf(folder);
  Pruner pruner(database, dry_run);
  TRY(pruner.Prepare());
  TRY(pruner.Run(stop, pruned));
  if (dry_run) return pruned;
  const uint64_t facts = TRY(pruner.DropFacts());
  pruned.facts = facts;
  TRY(database.Execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);"));
  pruned.bytes_after = BytesOf(folder);
  return pruned;
}

}  // namespace imgmill
