// Forgets files that are gone, once it has looked whether they only lie elsewhere now.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/archive_path.h"
#include "base/try.h"
#include "catalog/catalog_impl.h"
#include "catalog/compaction.h"
#include "imgmill/catalog/upkeep.h"
#include "imgmill/dataset/listing.h"

namespace imgmill {
namespace {

constexpr size_t kFilesAtOnce = 1000;
constexpr char kWhat[] = "look for files that are gone";  // in messages

// Those that are gone, where each lies now, and whether it stays for its vectors.
constexpr char kTables[] = R"(
  CREATE TEMP TABLE gone (
    path BLOB PRIMARY KEY, content BLOB, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER,
    now BLOB, now_mtime_ns INTEGER, now_ctime_ns INTEGER, now_inode INTEGER, kept INTEGER DEFAULT 0
  ) WITHOUT ROWID;
  CREATE INDEX temp.gone_by_size ON gone (size, content);
)";

// Names of imported vectors lie between these two, since "0" follows the slash.
constexpr char kKeepImported[] = R"(
  UPDATE gone SET kept = 1 WHERE now IS NULL
    AND EXISTS (SELECT 1 FROM names n JOIN facts f ON f.name = n.id AND f.content = gone.content
                WHERE n.name > CAST('vector/1 imported/' AS BLOB)
                  AND n.name < CAST('vector/1 imported0' AS BLOB))
    AND content NOT IN (SELECT content FROM gone WHERE now IS NOT NULL)
    AND content NOT IN (SELECT f.content FROM files f
                        WHERE NOT EXISTS (SELECT 1 FROM gone g WHERE g.path = f.path))
)";

constexpr char kForget[] = R"(
  INSERT OR REPLACE INTO files (path, size, mtime_ns, ctime_ns, inode, content, beside)
    SELECT g.now, g.size, g.now_mtime_ns, g.now_ctime_ns, g.now_inode, f.content, f.beside
    FROM gone g JOIN files f ON f.path = g.path WHERE g.now IS NOT NULL;
  DELETE FROM files WHERE path IN (SELECT path FROM gone WHERE kept = 0);
  DELETE FROM facts WHERE content IN (SELECT content FROM gone)
    AND content NOT IN (SELECT content FROM files);
  DELETE FROM names WHERE id NOT IN (SELECT name FROM facts UNION SELECT fingerprint FROM work);
)";

class Pruner {
 public:
  Pruner(Database& database, const StopFlag& stop) : database_(database), stop_(stop) {}

  Status Prepare() {
    TRY(database_.Execute(kTables));
    const auto prepare = [&](Statement& statement, const char* sql) -> Status {
      Statement made = TRY(database_.Prepare(sql));
      statement = std::move(made);
      return {};
    };
    TRY(prepare(after_,
                "SELECT path, content, size, mtime_ns, ctime_ns, inode FROM files WHERE path > ? ORDER BY "
                "path LIMIT ?"));
    TRY(prepare(put_,
                "INSERT INTO gone (path, content, size, mtime_ns, ctime_ns, inode) VALUES (?, ?, ?, ?, "
                "?, ?)"));
    TRY(prepare(size_, "SELECT 1 FROM gone WHERE size = ? AND now IS NULL LIMIT 1"));
    TRY(prepare(known_, "SELECT size, mtime_ns, ctime_ns, inode, content FROM files WHERE path = ?"));
    TRY(prepare(by_stamp_,
                "SELECT path FROM gone WHERE size = ? AND mtime_ns = ? AND ctime_ns = ? AND inode = "
                "? AND now IS NULL LIMIT 1"));
    TRY(prepare(by_content_, "SELECT path FROM gone WHERE size = ? AND content = ? AND now IS NULL LIMIT 1"));
    return prepare(place_,
                   "UPDATE gone SET now = ?, now_mtime_ns = ?, now_ctime_ns = ?, now_inode = ? WHERE "
                   "path = ?");
  }

  Status FindGone() {
    std::vector<std::pair<std::string, KnownFile>> files;
    do {
      TRY(Stopped());
      const std::string after = files.empty() ? "" : files.back().first;
      files.clear();
      Statement::Use use(after_);
      use.Blob(after).Integer(int64_t{kFilesAtOnce});
      TRY(database_.ForEachRow(use, kWhat, [&](const Statement::Use& row) -> Status {
        const FileStamp stamp{row.IntegerAt(2), row.IntegerAt(3), row.IntegerAt(4),
                              static_cast<uint64_t>(row.IntegerAt(5))};
        files.push_back({std::string(row.BlobAt(0)), {stamp, DigestFrom(row.BlobAt(1))}});
        return {};
      }));
      for (const auto& [path, file] : files) {
        if (IsGone(path)) TRY(PutGone(path, file));
      }
    } while (files.size() == kFilesAtOnce);
    return {};
  }

  /// Among the files below these, and below the folders that the catalog knows.
  Status FindMoved(std::vector<std::string> roots) {
    const bool any = TRY(Count("SELECT count(*) FROM gone")) > 0;
    if (!any) return {};
    Statement folders = TRY(database_.Prepare("SELECT path FROM folders WHERE inode != 0 ORDER BY path"));
    {
      Statement::Use use(folders);
      TRY(database_.ForEachRow(use, kWhat, [&](const Statement::Use& row) -> Status {
        std::string path(row.BlobAt(0));
        if (!IsGone(path)) roots.push_back(std::move(path));
        return {};
      }));
    }
    if (roots.empty()) return {};
    ListOptions options;
    options.paths = std::move(roots);
    options.videos = true;
    options.stop = &stop_;
    const std::unique_ptr<Lister> lister = TRY(Lister::Open(options));
    while (const std::optional<ListedFile> file = lister->Next()) {
      TRY(Stopped());
      TRY(LookAt(file->path));
    }
    return Stopped();
  }

  Status KeepImported() { return database_.Execute(kKeepImported); }

  /// @return facts that went
  Result<uint64_t> Forget() {
    TRY(database_.Execute("BEGIN IMMEDIATE"));
    const uint64_t before = TRY(Count("SELECT count(*) FROM facts"));
    TRY(database_.Execute(kForget));
    const uint64_t left = TRY(Count("SELECT count(*) FROM facts"));
    TRY(database_.Execute("COMMIT"));
    return before - left;
  }

  Status CountFiles(PrunedCatalog& pruned) {
    const uint64_t moved = TRY(Count("SELECT count(*) FROM gone WHERE now IS NOT NULL"));
    const uint64_t kept = TRY(Count("SELECT count(*) FROM gone WHERE kept = 1"));
    const uint64_t all = TRY(Count("SELECT count(*) FROM gone"));
    pruned.moved = moved;
    pruned.imported_kept = kept;
    pruned.files = all - moved - kept;
    return {};
  }

 private:
  Status Stopped() const {
    if (!stop_.StopRequested()) return {};
    return Error{Stage::kCatalog, Code::kInterrupted,
                 "stopped while looking for files; nothing was forgotten"};
  }

  Result<uint64_t> Count(const char* sql) {
    const int64_t count = TRY(database_.QueryInteger(sql));
    return static_cast<uint64_t>(count);
  }

  Status PutGone(const std::string& path, const KnownFile& file) {
    Statement::Use use(put_);
    use.Blob(path).Blob(Bytes(file.content));
    use.Integer(file.stamp.size).Integer(file.stamp.mtime_ns).Integer(file.stamp.ctime_ns);
    return database_.Run(use.Integer(static_cast<int64_t>(file.stamp.inode)), kWhat);
  }

  /// One that cannot be read is none of those that are looked for.
  Status LookAt(const std::string& path) {
    const Result<FileStamp> stamp = StampOf(path);
    if (!stamp) return {};
    {
      Statement::Use use(size_);
      const bool wanted = TRY(database_.HasRow(use.Integer(stamp->size), kWhat));
      if (!wanted) return {};
    }
    std::optional<KnownFile> known;
    {
      Statement::Use use(known_);
      const bool found = TRY(database_.HasRow(use.Blob(path), kWhat));
      if (found) known = FileAt(use, 0);
    }
    if (known && known->stamp == *stamp) return {};
    const auto inode = static_cast<int64_t>(stamp->inode);
    std::string from;
    {
      Statement::Use use(by_stamp_);
      use.Integer(stamp->size).Integer(stamp->mtime_ns).Integer(stamp->ctime_ns).Integer(inode);
      const bool found = TRY(database_.HasRow(use, kWhat));
      if (found) from = use.BlobAt(0);
    }
    if (from.empty()) {
      const Result<ContentDigest> content = DigestOf(path);
      if (!content || (known && known->content == *content)) return {};
      Statement::Use use(by_content_);
      const bool found = TRY(database_.HasRow(use.Integer(stamp->size).Blob(Bytes(*content)), kWhat));
      if (!found) return {};
      from = use.BlobAt(0);
    }
    Statement::Use use(place_);
    use.Blob(path).Integer(stamp->mtime_ns).Integer(stamp->ctime_ns).Integer(inode);
    return database_.Run(use.Blob(from), kWhat);
  }

  Database& database_;
  const StopFlag& stop_;
  Statement after_, put_, size_, known_, by_stamp_, by_content_, place_;
};

}  // namespace

Result<PrunedCatalog> PruneCatalog(const std::string& folder, const PruneOptions& options,
                                   const StopFlag& stop) {
  Database database;
  TRY(OpenCatalog(folder, database));
  PrunedCatalog pruned;
  pruned.bytes_before = pruned.bytes_after = DatabaseBytes(folder);
  Pruner pruner(database, stop);
  TRY(pruner.Prepare());
  TRY(pruner.FindGone());
  TRY(pruner.FindMoved(options.look_in));
  if (!options.forget_imported) TRY(pruner.KeepImported());
  TRY(pruner.CountFiles(pruned));
  if (options.dry_run) return pruned;
  const uint64_t facts = TRY(pruner.Forget());
  pruned.facts = facts;
  TRY(database.Execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);"));
  pruned.bytes_after = DatabaseBytes(folder);
  return pruned;
}

}  // namespace imgmill
