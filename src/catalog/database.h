// SQLite as this project uses it: one connection, prepared statements, errors as values.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "imgmill/base/result.h"

namespace imgmill {

/// One prepared statement. Bind, Step, read columns; Reset when done, or let a Use do it.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(statement_); }

  /// Resets the statement on every way out, so that it holds no lock and no bytes of the caller's.
  class Use {
   public:
    explicit Use(Statement& statement) : statement_(statement.statement_) {}
    ~Use() {
      sqlite3_reset(statement_);
      sqlite3_clear_bindings(statement_);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

    /// The bytes must stay until the Use ends.
    Use& Blob(std::string_view bytes);
    Use& Integer(int64_t value);
    /// SQLITE_ROW, SQLITE_DONE or an error.
    int Step() { return sqlite3_step(statement_); }
    int64_t IntegerAt(int column) const { return sqlite3_column_int64(statement_, column); }
    bool IsNullAt(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
    /// Valid until the next Step.
    std::string_view BlobAt(int column) const;

   private:
    sqlite3_stmt* statement_;
    int next_ = 1;
  };

 private:
  sqlite3_stmt* statement_ = nullptr;
};

/// One connection. Not thread-safe.
class Database {
 public:
  Database() = default;
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// An empty path is a private temporary database.
  Status Open(const std::string& path);
  /// One that nobody writes to as long as it is open, wherever it lies: no lock and no file is made beside
  /// it. What is still in a log beside it is not seen.
  Status OpenUnchanging(const std::string& path);
  Status Execute(const char* sql);
  Result<Statement> Prepare(const char* sql);
  /// The one integer or text that a pragma or a query answers with.
  Result<int64_t> QueryInteger(const char* sql);
  Result<std::string> QueryText(const char* sql);

  /// Steps through all rows, which the caller reads in `each(use)`: a Status, by which it may end early. Rows
  /// that end because one cannot be read are an error, never the end.
  template <typename Each>
  Status ForEachRow(Statement::Use& use, const char* what, const Each& each) const {
    int step = use.Step();
    for (; step == SQLITE_ROW; step = use.Step()) TRY(each(use));
    return step == SQLITE_DONE ? Status{} : Status{LastError(what)};
  }
  /// Whether there is a row, which the caller reads then.
  Result<bool> HasRow(Statement::Use& use, const char* what) const;
  /// A statement that gives no rows.
  Status Run(Statement::Use& use, const char* what) const;

  /// Inside of a transaction. SQLite may have rolled one back by itself.
  bool InTransaction() const { return handle_ != nullptr && sqlite3_get_autocommit(handle_) == 0; }
  /// What went wrong in the last call, with the file's name and what to do about it.
  Error LastError(const std::string& what) const;

 private:
  sqlite3* handle_ = nullptr;
  std::string path_;
};

}  // namespace imgmill
