// Vector files written anew. The database refers to rows by number, so that file and database have to change
// together: the new file is written beside the old one; one transaction gives the facts their new numbers and
// notes that the file is to be replaced; then it is, and the note goes. Whoever opens the catalog after a
// kill finds the note.
#include "catalog/compaction.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/try.h"
#include "catalog/schema.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/upkeep.h"
#include "imgmill/catalog/vector_file.h"
#include "imgmill/dataset/file_identity.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr char kNote[] = "vectors-compacted/1";
constexpr char kWhat[] = "compact vectors";  // in messages
constexpr size_t kFactsAtOnce = 1000;

std::string NewFileOf(const std::string& path) {
  return path + ".new";
}

Status Remove(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return ErrnoError(Stage::kCatalog, errno, PrintablePath(path));
}

uint64_t BytesOf(const std::string& path) {
  std::error_code none;
  const auto bytes = std::filesystem::file_size(path, none);
  return none ? 0 : bytes;
}

/// One file's rows, in the order in which they are, without those that no fact refers to.
class Compactor {
 public:
  Compactor(Database& database, const std::string& kind, const StopFlag& stop)
      : database_(database), kind_(kind), stop_(stop) {}

  /// Inside of a transaction. @return rows that are referred to, and lie in the file
  Result<uint64_t> FindRows(const VectorFile& file) {
    TRY(database_.Execute(
        "CREATE TEMP TABLE IF NOT EXISTS places (place BLOB PRIMARY KEY, row INTEGER, moved INTEGER);"
        "DELETE FROM places;"));
    Statement add = TRY(database_.Prepare("INSERT OR IGNORE INTO places VALUES (?, ?, NULL)"));
    TRY(ForEachFact([&](int64_t, const std::string&, const std::string& value) -> Status {
      VectorFile::Place place;
      if (!PlaceIn(value, place) || place.row >= file.rows()) return {};
      Statement::Use use(add);
      return database_.Run(use.Blob(value).Integer(static_cast<int64_t>(place.row)), kWhat);
    }));
    const int64_t rows = TRY(database_.QueryInteger("SELECT count(DISTINCT row) FROM places"));
    return static_cast<uint64_t>(rows);
  }

  /// A row that is damaged stays behind.
  Result<uint64_t> Copy(const VectorFile& from, VectorFile& to) {
    Statement in_order = TRY(database_.Prepare("SELECT place FROM places ORDER BY row"));
    Statement move = TRY(database_.Prepare("UPDATE places SET moved = ? WHERE place = ?"));
    std::vector<float> vector(static_cast<size_t>(from.dimension()));
    Statement::Use rows(
        in_order);  // sorted before the first one: what is written to the table does not matter
    const Status copied = database_.ForEachRow(rows, kWhat, [&](const Statement::Use& row) -> Status {
      TRY(MayGoOn());
      const std::string value(row.BlobAt(0));
      VectorFile::Place place;
      if (!PlaceIn(value, place) || !from.Read(place, vector)) return {};
      const VectorFile::Place moved = TRY(to.Append(vector));
      Statement::Use use(move);
      return database_.Run(use.Integer(static_cast<int64_t>(moved.row)).Blob(value), kWhat);
    });
    if (!copied) return copied.error();
    return to.rows();
  }

  /// And forgets those whose row is lost: they are of no use.
  Status RenumberFacts() {
    Statement find = TRY(database_.Prepare("SELECT moved FROM places WHERE place = ? AND moved IS NOT NULL"));
    Statement put = TRY(database_.Prepare("UPDATE facts SET value = ? WHERE name = ? AND content = ?"));
    Statement drop = TRY(database_.Prepare("DELETE FROM facts WHERE name = ? AND content = ?"));
    return ForEachFact([&](int64_t name, const std::string& content, const std::string& value) -> Status {
      VectorFile::Place place;
      bool found = false;
      if (PlaceIn(value, place)) {
        Statement::Use use(find);
        const bool row = TRY(database_.HasRow(use.Blob(value), kWhat));
        found = row;
        if (found) place.row = static_cast<uint64_t>(use.IntegerAt(0));
      }
      if (!found) {
        Statement::Use use(drop);
        return database_.Run(use.Integer(name).Blob(content), kWhat);
      }
      const std::string moved(reinterpret_cast<const char*>(&place), sizeof place);
      Statement::Use use(put);
      return database_.Run(use.Blob(moved).Integer(name).Blob(content), kWhat);
    });
  }

  /// That the file is to be replaced.
  Status Note() {
    {
      Statement name = TRY(database_.Prepare("INSERT OR IGNORE INTO names (name) VALUES (?)"));
      Statement::Use use(name);
      TRY(database_.Run(use.Blob(kNote), kWhat));
    }
    Statement note =
        TRY(database_.Prepare("INSERT OR REPLACE INTO facts SELECT id, ?, ? FROM names WHERE name = ?"));
    const ContentDigest digest = DigestOfBytes(kind_.data(), kind_.size());
    const std::string content(digest.bytes.begin(), digest.bytes.end());
    Statement::Use use(note);
    return database_.Run(use.Blob(content).Blob(kind_).Blob(kNote), kWhat);
  }

 private:
  using OnFact = std::function<Status(int64_t name, const std::string& content, const std::string& value)>;

  static bool PlaceIn(const std::string& value, VectorFile::Place& place) {
    if (value.size() != sizeof place) return false;
    std::memcpy(&place, value.data(), sizeof place);
    return true;
  }
  /// After some errors SQLite rolls back by itself, and what followed would be committed bit by bit.
  Status MayGoOn() const {
    if (stop_.StopRequested())
      return Error{Stage::kCatalog, Code::kInterrupted, "stopped while writing vectors anew"};
    if (!database_.InTransaction())
      return Error{Stage::kCatalog, Code::kWriteError,
                   "the database took back what was done so far; nothing was changed (run again)"};
    return {};
  }

  /// The facts of the kind, in order; `each` may change or delete the one that it is given.
  Status ForEachFact(const OnFact& each) {
    for (const bool lenient : {false, true}) {
      const std::string fact = VectorFact(kind_, lenient);
      Statement next = TRY(database_.Prepare(
          "SELECT facts.name, content, value FROM facts JOIN names ON names.id = facts.name "
          "WHERE names.name = ? AND content > ? ORDER BY content LIMIT ?"));
      std::vector<std::array<std::string, 2>> some;
      std::string after;
      do {
        TRY(MayGoOn());
        some.clear();
        int64_t name = 0;
        {
          Statement::Use use(next);
          use.Blob(fact).Blob(after).Integer(int64_t{kFactsAtOnce});
          TRY(database_.ForEachRow(use, kWhat, [&](const Statement::Use& row) -> Status {
            name = row.IntegerAt(0);
            some.push_back({std::string(row.BlobAt(1)), std::string(row.BlobAt(2))});
            return {};
          }));
        }
        for (const auto& [content, value] : some) TRY(each(name, content, value));
        if (!some.empty()) after = some.back()[0];
      } while (some.size() == kFactsAtOnce);
    }
    return {};
  }

  Database& database_;
  const std::string kind_;
  const StopFlag& stop_;
};

Status CompactFile(Database& database, const std::string& folder, bool dry_run, const StopFlag& stop,
                   CompactedVectors& figures) {
  const std::unique_ptr<VectorFile> file = TRY(VectorFile::Open(folder, figures.kind, 0));
  if (!file) return {};
  const std::string path = file->path(), fresh = NewFileOf(path);
  figures.rows_before = figures.rows_after = file->rows();
  figures.bytes_before = figures.bytes_after = BytesOf(path);
  Compactor compactor(database, figures.kind, stop);
  const uint64_t kept = TRY(compactor.FindRows(*file));
  if (kept == file->rows()) return {};
  if (dry_run) {
    figures.rows_after = kept;
    figures.bytes_after -= (file->rows() - kept) * static_cast<uint64_t>(file->dimension()) * sizeof(float);
    return {};
  }
  TRY(Remove(fresh));
  {
    const std::unique_ptr<VectorFile> to = TRY(VectorFile::OpenAt(fresh, figures.kind, file->dimension()));
    const uint64_t copied = TRY(compactor.Copy(*file, *to));
    figures.rows_after = copied;
    TRY(to->Sync());
  }
  figures.bytes_after = BytesOf(fresh);
  TRY(compactor.RenumberFacts());
  return compactor.Note();
}

/// `work` as one transaction.
template <typename Work>
Status InTransaction(Database& database, const Work& work) {
  TRY(database.Execute("BEGIN IMMEDIATE"));
  Status done = work();
  if (done) done = database.Execute("COMMIT");
  if (!done && database.InTransaction()) TRY(database.Execute("ROLLBACK"));
  return done;
}

}  // namespace

Status FinishCompaction(Database& database, const std::string& folder) {
  std::vector<std::string> kinds;
  {
    Statement notes =
        TRY(database.Prepare("SELECT value FROM facts WHERE name = (SELECT id FROM names WHERE name = ?)"));
    Statement::Use use(notes);
    use.Blob(kNote);
    TRY(database.ForEachRow(use, kWhat, [&](const Statement::Use& row) -> Status {
      kinds.emplace_back(row.BlobAt(0));
      return {};
    }));
  }
  if (kinds.empty()) return {};
  // The facts first: after a power cut they must not be the old ones beside a new file.
  TRY(database.Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  for (const std::string& kind : kinds) {
    const std::string path = VectorFile::PathOf(folder, kind);
    // Not there: it was put in place before the kill.
    if (std::rename(NewFileOf(path).c_str(), path.c_str()) != 0 && errno != ENOENT)
      return ErrnoError(Stage::kCatalog, errno, PrintablePath(path));
    TRY(SyncFolder(folder + "/vectors"));
  }
  Statement forget =
      TRY(database.Prepare("DELETE FROM facts WHERE name = (SELECT id FROM names WHERE name = ?)"));
  Statement::Use use(forget);
  return database.Run(use.Blob(kNote), "forget a note");
}

Result<std::vector<CompactedVectors>> CompactCatalog(const std::string& folder, bool dry_run,
                                                     const StopFlag& stop) {
  Database database;
  TRY(OpenCatalog(folder, database));
  std::vector<CompactedVectors> all;
  for (const auto& [kind, dimension] : VectorFile::KindsIn(folder)) {
    CompactedVectors& figures = all.emplace_back();
    figures.kind = kind;
    figures.dimension = dimension;
    const Status compacted =
        InTransaction(database, [&] { return CompactFile(database, folder, dry_run, stop, figures); });
    if (!compacted) {
      TRY(Remove(NewFileOf(VectorFile::PathOf(folder, kind))));
      return compacted.error();
    }
    TRY(FinishCompaction(database, folder));
  }
  return all;
}

}  // namespace imgmill
