// SQLite as this project uses it: one connection, prepared statements, errors as values.
#include "catalog/database.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/full_disk.h"
#include "base/try.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// Whether a database's file, or its log, has come to ulimit -f. SQLite tells a write that failed, but of why
/// only what a later call has left in errno.
bool IsAtFileLimit(const std::string& path) {
  constexpr rlim_t kWrite = rlim_t{64} << 10;  // as much as SQLite writes at once, and more
  rlimit limit = {};
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  for (const char* part : {"", "-wal", "-journal"}) {
    struct stat file = {};
    if (stat((path + part).c_str(), &file) == 0 &&
        static_cast<rlim_t>(file.st_size) + kWrite > limit.rlim_cur)
      return true;
  }
  return false;
}

}  // namespace

Statement::Use& Statement::Use::Blob(std::string_view bytes) {
  // A null pointer would bind NULL, and no bytes are not NULL.
  sqlite3_bind_blob64(statement_, next_++, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

Statement::Use& Statement::Use::Integer(int64_t value) {
  sqlite3_bind_int64(statement_, next_++, value);
  return *this;
}

std::string_view Statement::Use::BlobAt(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

Database::~Database() {
  sqlite3_close(handle_);
}

Status Database::Open(const std::string& path) {
  path_ = path;
  // Callers hold a mutex of their own: NOMUTEX saves a second one on every call.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr) != SQLITE_OK) return LastError("open");
  sqlite3_busy_timeout(handle_, 5000);
  return {};
}

Status Database::OpenUnchanging(const std::string& path) {
  path_ = path;
  std::string uri = "file:";
  for (const char c : path) {  // what has a meaning in a URI, as SQLite reads it
    if (c == '%' || c == '?' || c == '#') {
      uri += c == '%' ? "%25" : c == '?' ? "%3f" : "%23";
    } else {
      uri += c;
    }
  }
  const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  uri += "?immutable=1";
  return sqlite3_open_v2(uri.c_str(), &handle_, flags, nullptr) == SQLITE_OK ? Status() : LastError("open");
}

Status Database::Execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return LastError(sql);
  return {};
}

Result<Statement> Database::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return LastError(sql);
  }
  return Statement(statement);
}

Result<int64_t> Database::QueryInteger(const char* sql) {
  Statement statement = TRY(Prepare(sql));
  Statement::Use use(statement);
  if (use.Step() != SQLITE_ROW) return LastError(sql);
  return use.IntegerAt(0);
}

Result<std::string> Database::QueryText(const char* sql) {
  Statement statement = TRY(Prepare(sql));
  Statement::Use use(statement);
  if (use.Step() != SQLITE_ROW) return LastError(sql);
  return std::string(use.BlobAt(0));
}

Result<bool> Database::HasRow(Statement::Use& use, const char* what) const {
  const int step = use.Step();
  if (step != SQLITE_ROW && step != SQLITE_DONE) return LastError(what);
  return step == SQLITE_ROW;
}

Status Database::Run(Statement::Use& use, const char* what) const {
  return use.Step() == SQLITE_DONE ? Status{} : Status{LastError(what)};
}

Error Database::LastError(const std::string& what) const {
  const std::string file = path_.empty() ? "the temporary database" : PrintablePath(path_);
  if (handle_ == nullptr) return {Stage::kCatalog, Code::kOutOfMemory, file + ": no memory to open it"};
  const int extended = sqlite3_extended_errcode(handle_);
  const std::string words = sqlite3_errmsg(handle_);
  const auto error = [&](Code code, const std::string& advice) {
    return Error{Stage::kCatalog, code, file + ": " + words + " (" + advice + ")"};
  };
  switch (extended & 0xFF) {
    case SQLITE_FULL:
      return error(Code::kDiskFull, "make room and run again to resume");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return error(Code::kLocked, "another process is using it; run again later, or give another --catalog");
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
      return error(
          Code::kMalformed,
          "it is damaged or no catalog; move it away, and what it knew is computed again, or give another "
          "--catalog");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return error(Code::kPermission, "give a folder that can be written with --catalog, or --no-catalog");
    case SQLITE_NOMEM:
      return error(Code::kOutOfMemory, what);
    case SQLITE_IOERR: {
      // Where a file cannot grow, some file systems make this of a full disk.
      const int system = sqlite3_system_errno(handle_);
      if (system == EFBIG || (extended == SQLITE_IOERR_WRITE && IsAtFileLimit(path_)))
        return error(Code::kDiskFull, kPastFileLimit);
      if (system == ENOSPC || system == EDQUOT || extended == SQLITE_IOERR_SHMSIZE) {
        return error(Code::kDiskFull, "make room and run again to resume");
      }
      return error(extended == SQLITE_IOERR_READ ? Code::kReadError : Code::kWriteError, what);
    }
    default:
      return error(Code::kInternal, what);
  }
}

}  // namespace imgmill
