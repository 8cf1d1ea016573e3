// The catalog's questions and answers as prepared statements.
#include "imgmill/catalog/catalog.h"

#include "base/try.h"
#include "catalog/catalog_database.h"
#include "catalog/catalog_impl.h"
#include "catalog/compaction.h"
#include "catalog/recorded_folder.h"
#include "catalog/schema.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {

Status Catalog::Impl::PrepareAll() {
  const std::pair<Statement*, const char*> all[] = {
      {&begin, "BEGIN IMMEDIATE"},
      {&begin_reading, "BEGIN DEFERRED"},
      {&commit, "COMMIT"},
      {&rollback, "ROLLBACK"},
      {&find_file, "SELECT size, mtime_ns, ctime_ns, inode, content, beside FROM files WHERE path = ?"},
      {&files_from,
       "SELECT path, size, mtime_ns, ctime_ns, inode, content, beside FROM files WHERE path >= ? ORDER BY "
       "path"},
      {&put_file,
       "INSERT INTO files (path, size, mtime_ns, ctime_ns, inode, content) VALUES (?, ?, ?, ?, ?, ?) "
       "ON CONFLICT (path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, "
       "ctime_ns = excluded.ctime_ns, inode = excluded.inode, content = excluded.content, "
       "beside = CASE WHEN content = excluded.content THEN beside END"},
      {&find_beside, "SELECT beside FROM files WHERE path = ? AND content = ?"},
      {&put_beside, "UPDATE files SET beside = ? WHERE path = ?"},
      {&count_files, "SELECT count(*) FROM files"},
      {&files_after,
       "SELECT path, size, mtime_ns, ctime_ns, inode, content FROM files WHERE path > ? ORDER BY path LIMIT "
       "?"},
      {&folder_by_identity,
       "SELECT path FROM folders WHERE inode = ? AND born_ns = ? ORDER BY path = ? DESC"},
      {&find_folder, "SELECT 1 FROM folders WHERE path = ?"},
      {&put_folder, "INSERT OR REPLACE INTO folders (path, inode, born_ns) VALUES (?, ?, ?)"},
      {&drop_folder, "DELETE FROM folders WHERE path = ?"},
      {&move_files,
       "UPDATE OR REPLACE files SET path = CAST(? || substr(path, ?) AS BLOB) WHERE path > ? AND path < ?"},
      {&move_work,
       "UPDATE OR REPLACE work SET source = CAST(? || substr(source, ?) AS BLOB) WHERE source > ? AND source "
       "< ?"},
      {&find_name, "SELECT id FROM names WHERE name = ?"},
      {&put_name, "INSERT INTO names (name) VALUES (?) RETURNING id"},
      {&find_fact, "SELECT value FROM facts WHERE name = ? AND content = ?"},
      {&put_fact, "INSERT OR REPLACE INTO facts (name, content, value) VALUES (?, ?, ?)"},
      {&facts_after,
       "SELECT content, value FROM facts WHERE name = ? AND content > ? ORDER BY content LIMIT ?"},
      {&find_work,
       "SELECT state, size, digest FROM work WHERE fingerprint = ? AND source = ? AND content = ? AND output "
       "= ?"},
      {&put_work,
       "INSERT OR REPLACE INTO work (fingerprint, source, content, output, state, size, digest) VALUES (?, "
       "?, ?, ?, ?, "
       "?, ?)"},
      {&work_after,
       "SELECT output, state, size, digest FROM work WHERE fingerprint = ? AND source = ? AND content = ? "
       "AND output > "
       "? ORDER BY output LIMIT ?"},
      {&work_of_output,
       "SELECT n.name, w.source, w.content, w.state, w.size, w.digest FROM work w JOIN names n ON n.id = "
       "w.fingerprint WHERE w.output = ? ORDER BY w.fingerprint, w.source, w.content"},
  };
  for (const auto& [statement, sql] : all) {
    Statement prepared = TRY(database.Prepare(sql));
    *statement = std::move(prepared);
  }
  return {};
}

void Catalog::Impl::Remember(const Status& status) {
  if (!status && failed) failed = status;
}

Status Catalog::Impl::Ran(Statement::Use& use, const char* what) {
  const int code = use.Step();
  if (code == SQLITE_DONE || code == SQLITE_ROW) return {};
  const Error error = database.LastError(what);
  Remember(error);
  return error;
}

bool Catalog::Impl::Row(Statement::Use& use, const char* what) {
  const int code = use.Step();
  if (code != SQLITE_ROW && code != SQLITE_DONE) Remember(database.LastError(what));
  return code == SQLITE_ROW;
}

int64_t Catalog::Impl::NameId(std::string_view name, bool make) {
  if (const auto known = names.find(name); known != names.end()) return known->second;
  int64_t id = 0;
  {
    Statement::Use use(find_name);
    if (use.Blob(name); Row(use, "find a name")) id = use.IntegerAt(0);
  }
  if (id == 0 && make) {
    Statement::Use use(put_name);
    if (use.Blob(name); Row(use, "put a name")) id = use.IntegerAt(0);
    while (Row(use, "put a name")) continue;  // RETURNING ends the insert with a second step
  }
  if (id != 0) names.emplace(name, id);
  return id;
}

Catalog::Catalog() : impl_(std::make_unique<Impl>()) {}

Result<std::unique_ptr<Catalog>> Catalog::Open(const std::string& folder) {
  std::unique_ptr<Catalog> catalog(new Catalog);
  Impl& impl = *catalog->impl_;
  impl.folder = folder;
  std::string path;
  if (!folder.empty()) {
    if (Status made = MakeFolders(folder); !made) {
      Error error = made.error();
      error.stage = Stage::kCatalog;
      error.message += " (give a folder that can be written with --catalog, or --no-catalog)";
      return error;
    }
    path = CatalogDatabase(folder);
  }
  TRY(impl.database.Open(path));
  TRY(PrepareSchema(impl.database, path));
  if (!folder.empty()) TRY(FinishCompaction(impl.database, folder));
  TRY(impl.PrepareAll());
  impl.output_folder = OutputFolderOfCatalog(folder);
  TRY(impl.KnowHome());
  TRY(impl.moved.Prepare(impl.database, impl.output_folder));
  impl.committer = std::thread([&impl] { impl.CommitInBackground(); });
  return catalog;
}

Catalog::~Catalog() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->closing = true;
    impl_->EndReading();
    Status committed = impl_->Commit();  // whoever wants to know has called Flush
  }
  impl_->changed.notify_all();
  if (impl_->committer.joinable()) impl_->committer.join();
}

Status Catalog::KnowFolder(const std::string& folder, const FolderIdentity& identity) {
  const std::lock_guard lock(impl_->mutex);
  const auto inode = static_cast<int64_t>(identity.inode);
  std::string before;
  {
    Statement::Use use(impl_->folder_by_identity);
    if (use.Integer(inode).Integer(identity.born_ns).Blob(folder); impl_->Row(use, "find a folder"))
      before = use.BlobAt(0);
  }
  if (before == folder) return {};
  TRY(impl_->Begin());
  if (!before.empty()) {
    TRY(impl_->MoveFolder(before, folder));
  }
  {
    Statement::Use use(impl_->put_folder);
    use.Blob(folder).Integer(inode).Integer(identity.born_ns);
    TRY(impl_->Ran(use, "put a folder"));
  }
  return impl_->CountPut();
}

bool Catalog::Impl::KnowsFolder(std::string_view path) {
  Statement::Use use(find_folder);
  use.Blob(path);
  return Row(use, "find a folder");
}

Status Catalog::Impl::MoveRows(Statement& rows, std::string_view from, std::string_view to) {
  // Below "/a" lies what is between "/a/" and "/a0", since "0" follows the slash.
  const std::string first = std::string(from) + '/', end = std::string(from) + '0';
  Statement::Use use(rows);
  use.Blob(to).Integer(static_cast<int64_t>(from.size() + 1)).Blob(first).Blob(end);
  return Ran(use, "move a folder");
}

Status Catalog::Impl::MoveFolder(std::string_view from, std::string_view to) {
  TRY(MoveRows(move_files, from, to));
  // Where another folder was known, its outputs have their place: they are now of the files that came there.
  if (!KnowsFolder(to)) {
    TRY(MoveSidecars(from, to));
    TRY(MoveRows(move_work, from, to));
  }
  Statement::Use use(drop_folder);
  use.Blob(from);
  return Ran(use, "forget a folder");
}

std::optional<std::string> Catalog::FindFact(const ContentDigest& content, std::string_view name) {
  const std::lock_guard lock(impl_->mutex);
  if (const auto beside = impl_->last_file.Fact(content, name)) return std::string(*beside);
  impl_->BeginReading();
  const int64_t id = impl_->NameId(name, false);
  if (id == 0) return std::nullopt;
  Statement::Use use(impl_->find_fact);
  if (use.Integer(id).Blob(Bytes(content)); !impl_->Row(use, "find a fact")) return std::nullopt;
  return std::string(use.BlobAt(0));
}

Status Catalog::PutFact(const ContentDigest& content, std::string_view name, std::string_view value,
                        std::string_view beside_file) {
  const std::lock_guard lock(impl_->mutex);
  TRY(impl_->Begin());
  const int64_t id = impl_->NameId(name, true);
  if (id == 0) return impl_->failed;
  {
    Statement::Use use(impl_->put_fact);
    use.Integer(id).Blob(Bytes(content)).Blob(value);
    TRY(impl_->Ran(use, "put a fact"));
  }
  if (!beside_file.empty()) TRY(impl_->PutBeside(beside_file, content, name, value));
  return impl_->CountPut();
}

std::optional<WorkRow> Catalog::FindWork(const WorkKey& key) {
  const std::lock_guard lock(impl_->mutex);
  impl_->BeginReading();
  const int64_t id = impl_->NameId(key.fingerprint, false);
  if (id == 0) return std::nullopt;
  Statement::Use use(impl_->find_work);
  use.Integer(id).Blob(key.source).Blob(Bytes(key.content)).Blob(key.output);
  if (!impl_->Row(use, "find work")) return std::nullopt;
  return RowAt(use, 0);
}

Status Catalog::Impl::PutWorkRow(const WorkKey& key, const WorkRow& row) {
  const int64_t id = NameId(key.fingerprint, true);
  if (id == 0) return failed;
  Statement::Use use(put_work);
  use.Integer(id).Blob(key.source).Blob(Bytes(key.content)).Blob(key.output);
  use.Integer(row.state == WorkRow::State::kDone ? 1 : 0).Integer(row.size).Blob(Bytes(row.digest));
  return Ran(use, "put work");
}

Status Catalog::PutWork(const WorkKey& key, const WorkRow& row) {
  const std::lock_guard lock(impl_->mutex);
  TRY(impl_->Begin());
  TRY(impl_->PutWorkRow(key, row));
  return impl_->Commit();
}

Status Catalog::PutWork(std::span<const std::pair<WorkKey, WorkRow>> rows) {
  const std::lock_guard lock(impl_->mutex);
  TRY(impl_->Begin());
  for (const auto& [key, row] : rows) {
    TRY(impl_->PutWorkRow(key, row));
  }
  return impl_->Commit();
}

std::vector<FoundWork> Catalog::FindOutputs(const std::string& output) {
  const std::lock_guard lock(impl_->mutex);
  impl_->BeginReading();
  std::vector<FoundWork> found;
  Statement::Use use(impl_->work_of_output);
  use.Blob(output);
  while (impl_->Row(use, "find an output")) {
    found.push_back(
        {{std::string(use.BlobAt(1)), DigestFrom(use.BlobAt(2)), std::string(use.BlobAt(0)), output},
         RowAt(use, 3)});
  }
  return found;
}

std::vector<std::string> Catalog::FindMoved(const std::string& path,
                                            const std::optional<ContentDigest>& content) {
  const std::lock_guard lock(impl_->mutex);
  impl_->BeginReading();
  Result<std::vector<std::string>> found = impl_->moved.Find(impl_->database, path, content);
  if (found) return *std::move(found);
  impl_->Remember(found.error());
  return {};
}

Status Catalog::Flush() {
  const std::lock_guard lock(impl_->mutex);
  impl_->EndReading();
  Status committed = impl_->Commit();
  Status result = std::exchange(impl_->failed, Status{});
  return result ? committed : result;
}

const std::string& Catalog::folder() const {
  return impl_->folder;
}

}  // namespace imgmill
