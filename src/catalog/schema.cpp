// The catalog's tables, their version, and how a database comes to have them.
#include "catalog/schema.h"

#include <sys/vfs.h>

#include "base/try.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// "imgm": marks the file as a catalog of this program (see file(1), and PRAGMA application_id).
constexpr int64_t kApplicationId = 0x696D676D;

// Paths and values are BLOBs: bytes as they are, compared as bytes. Names of facts and fingerprints are long
// and repeat in every row, so rows hold their number. WITHOUT ROWID keeps a row in its key's tree: one
// look-up, not two.
constexpr char kTables[] = R"(
  CREATE TABLE files (
    path     BLOB PRIMARY KEY,   -- absolute
    size     INTEGER NOT NULL,   -- bytes
    mtime_ns INTEGER NOT NULL,   -- since 1970
    content  BLOB NOT NULL,      -- XXH3-128 of the bytes, big-endian
    ctime_ns INTEGER NOT NULL DEFAULT 0,  -- since 1970
    inode    INTEGER NOT NULL DEFAULT 0,  -- 0: version 1 has seen it, which did not look
    beside   BLOB                 -- facts of the content, some of them, copied (facts_beside.h)
  ) WITHOUT ROWID;
  CREATE TABLE names (
    id   INTEGER PRIMARY KEY,
    name BLOB NOT NULL UNIQUE    -- of a fact, with its version; or an operation's fingerprint
  );
  CREATE TABLE facts (
    name    INTEGER NOT NULL REFERENCES names(id),
    content BLOB NOT NULL,
    value   BLOB NOT NULL,
    PRIMARY KEY (name, content)
  ) WITHOUT ROWID;
  CREATE TABLE work (
    fingerprint INTEGER NOT NULL REFERENCES names(id),
    source      BLOB NOT NULL,   -- absolute path
    content     BLOB NOT NULL,   -- of the source
    output      BLOB NOT NULL,   -- relative to the output folder
    state       INTEGER NOT NULL,  -- 0: about to be published, 1: done
    size        INTEGER NOT NULL,  -- of the output, bytes
    digest      BLOB NOT NULL,     -- of the output's bytes
    PRIMARY KEY (fingerprint, source, content, output)
  ) WITHOUT ROWID;
  CREATE INDEX work_by_output ON work (output, fingerprint, source);
)";

/// Input folders, to know them again elsewhere; since version 3. One row is of the catalog's own folder
/// (kHomeQuery), with zeros.
constexpr char kFolders[] = R"(
  CREATE TABLE folders (
    path    BLOB PRIMARY KEY,   -- absolute
    inode   INTEGER NOT NULL,
    born_ns INTEGER NOT NULL    -- since 1970
  ) WITHOUT ROWID;
)";

/// From version 1 to 2. What is known of contents stays; files are digested once more, and found there.
constexpr char kAddIdentity[] = R"(
  ALTER TABLE files ADD COLUMN ctime_ns INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE files ADD COLUMN inode INTEGER NOT NULL DEFAULT 0;
)";

/// From an earlier version to 4: of files that it knows, facts are looked up by content as ever.
constexpr char kAddBeside[] = "ALTER TABLE files ADD COLUMN beside BLOB;";

/// WAL needs memory shared between processes, which file systems of other machines do not give.
bool MayUseWal(const std::string& path) {
  if (path.empty()) return false;
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) return false;
  constexpr unsigned kNfs = 0x6969;
  constexpr unsigned kCifs = 0xFF534D42;
  constexpr unsigned kSmb2 = 0xFE534D42;
  constexpr unsigned kFuse = 0x65735546;  // sshfs among others; SQLite cannot tell
  constexpr unsigned kLustre = 0x0BD00BD0;
  constexpr unsigned kGpfs = 0x47504653;
  constexpr unsigned kCeph = 0x00C36400;
  constexpr unsigned kV9fs = 0x01021997;
  constexpr unsigned kAfs = 0x5346414F;
  for (const unsigned remote : {kNfs, kCifs, kSmb2, kFuse, kLustre, kGpfs, kCeph, kV9fs, kAfs}) {
    if (static_cast<unsigned>(info.f_type) == remote) return false;
  }
  return true;
}

Status Configure(Database& database, const std::string& path) {
  // The cache is memory that no budget sees: small. The rest of the file is in the system's cache anyway.
  if (Status set =
          database.Execute("PRAGMA cache_size = -2048; PRAGMA cache_spill = ON; PRAGMA mmap_size = 0;");
      !set) {
    return set;
  }
  if (path.empty()) return database.Execute("PRAGMA synchronous = OFF;");  // nothing outlives the process
  if (MayUseWal(path)) {
    std::string mode = TRY(database.QueryText("PRAGMA journal_mode = WAL"));
    // SQLite answers with the old mode if its file layer has no shared memory: a rollback journal then.
    if (mode == "wal")
      return database.Execute("PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 8388608;");
  }
  std::string mode = TRY(database.QueryText("PRAGMA journal_mode = TRUNCATE"));
  return database.Execute("PRAGMA synchronous = NORMAL;");
}

/// Makes the tables in an empty database, or brings those of an earlier version up to date.
Status BringUpToDate(Database& database) {
  TRY(database.Execute("BEGIN IMMEDIATE"));
  // Between the look and the lock another process may have made them.
  Result<int64_t> version = database.QueryInteger("PRAGMA user_version");
  Status made = version ? Status{} : Status{version.error()};
  if (version && *version < kSchemaVersion) {
    const std::string marks = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                              "; PRAGMA user_version = " + std::to_string(kSchemaVersion) + ";";
    std::string tables = *version == 0 ? kTables : kAddBeside;
    if (*version == 1) tables += kAddIdentity;
    if (*version < 3) tables += kFolders;
    made = database.Execute((tables + marks).c_str());
  }
  if (made) made = database.Execute("COMMIT");
  if (!made && database.InTransaction()) {
    TRY(database.Execute("ROLLBACK"));
  }
  return made;
}

}  // namespace

Result<int64_t> CheckSchema(Database& database, const std::string& path) {
  const Result<int64_t> version = database.QueryInteger("PRAGMA user_version");
  if (!version) return version.error();
  const int64_t application = TRY(database.QueryInteger("PRAGMA application_id"));
  const int64_t tables = TRY(database.QueryInteger("SELECT count(*) FROM sqlite_schema"));
  const bool fresh = *version == 0 && application == 0 && tables == 0;
  if (!fresh && application != kApplicationId) {
    return Error{Stage::kCatalog, Code::kMalformed,
                 PrintablePath(path) + " is another program's database (give another --catalog)"};
  }
  if (*version > kSchemaVersion) {
    return Error{Stage::kCatalog, Code::kUnsupported,
                 PrintablePath(path) + " was written by a newer imgmill (its version is " +
                     std::to_string(*version) + ", this one reads up to " + std::to_string(kSchemaVersion) +
                     "; use that imgmill, or give another --catalog)"};
  }
  return version;
}

Status PrepareSchema(Database& database, const std::string& path) {
  // First a look that changes nothing: the file may be somebody else's.
  const int64_t version = TRY(CheckSchema(database, path));
  TRY(Configure(database, path));
  if (version < kSchemaVersion) return BringUpToDate(database);
  return {};
}

}  // namespace imgmill
