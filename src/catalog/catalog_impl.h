// What a catalog holds, shared by its look-ups and its scans.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "catalog/database.h"
#include "catalog/facts_beside.h"
#include "catalog/moved_files.h"
#include "imgmill/catalog/catalog.h"

namespace imgmill {

inline std::string_view Bytes(const ContentDigest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

inline ContentDigest DigestFrom(std::string_view bytes) {
  ContentDigest digest;
  std::copy_n(bytes.data(), std::min(bytes.size(), digest.bytes.size()),
              reinterpret_cast<char*>(digest.bytes.data()));
  return digest;
}

/// Columns size, mtime_ns, ctime_ns, inode, content from `column` on.
inline KnownFile FileAt(const Statement::Use& use, int column) {
  return {{use.IntegerAt(column), use.IntegerAt(column + 1), use.IntegerAt(column + 2),
           static_cast<uint64_t>(use.IntegerAt(column + 3))},
          DigestFrom(use.BlobAt(column + 4))};
}

/// Columns state, size, digest from `column` on.
inline WorkRow RowAt(const Statement::Use& use, int column) {
  WorkRow row;
  row.state = use.IntegerAt(column) == 0 ? WorkRow::State::kIntent : WorkRow::State::kDone;
  row.size = use.IntegerAt(column + 1);
  row.digest = DigestFrom(use.BlobAt(column + 2));
  return row;
}

/// The file that was found last, with what lies beside it: that is mostly asked for next.
struct LastFile {
  bool is_there = false;
  ContentDigest content;
  std::string facts;

  std::optional<std::string_view> Fact(const ContentDigest& of, std::string_view name) const {
    return is_there && of == content ? FactBeside(facts, name) : std::nullopt;
  }
};

/// Of names, looked for by any text.
struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
};

struct Catalog::Impl {
  std::string folder;
  Database database;
  Statement begin, begin_reading, commit, rollback;
  Statement find_file, files_from, put_file, find_beside, put_beside, count_files, files_after;
  Statement folder_by_identity, find_folder, put_folder, drop_folder, move_files, move_work;
  Statement find_name, put_name;
  Statement find_fact, put_fact, facts_after;
  Statement find_work, put_work, work_after, work_of_output;
  MovedFiles moved;
  std::string output_folder;  ///< that it is of, canonical; or ""
  std::unordered_map<std::string, int64_t, NameHash, std::equal_to<>> names;
  std::string onward_from, asked;        ///< paths: where the search began, and the last one asked for
  std::optional<Statement::Use> onward;  ///< while reading: at the first row from `asked` on
  bool at_end = false;                   ///< there is none
  LastFile last_file;

  std::mutex mutex;
  std::condition_variable changed;
  bool writing = false;  ///< the transaction, if one is open; else it is for reading
  int puts = 0;          ///< in the open transaction
  std::chrono::steady_clock::time_point first_put;
  int looks = 0;  ///< in the open transaction for reading
  std::chrono::steady_clock::time_point first_look;
  bool idle = false;  ///< the committer waits for a notice, and for no time
  Status failed;      ///< the first failure that Flush has not told yet
  bool closing = false;
  std::thread committer;

  Status PrepareAll();
  // All below: under the mutex.
  void Remember(const Status& status);
  /// A transaction for puts.
  Status Begin();
  Status Commit();
  /// A transaction for a look-up, unless one is open: without, SQLite takes and drops its locks for each one.
  void BeginReading();
  void EndReading();
  bool Reading() const { return !writing && database.InTransaction(); }
  Status Ran(Statement::Use& use, const char* what);
  /// SQLITE_ROW as true; remembers an error.
  bool Row(Statement::Use& use, const char* what);
  /// Brings `onward` to the path's row. @return whether there is one
  bool StepTo(std::string_view path);
  /// The file of that row, from that column on: FileAt's, then what lies beside it.
  KnownFile Found(const Statement::Use& row, int column);
  Status PutBeside(std::string_view path, const ContentDigest& content, std::string_view name,
                   std::string_view value);
  /// Number of a name; 0 if it has none and `make` is false, or if that failed.
  int64_t NameId(std::string_view name, bool make);
  bool KnowsFolder(std::string_view path);
  /// Files everything below `from` under `to`; finished work only where no other folder is known there.
  Status MoveFolder(std::string_view from, std::string_view to);
  /// @param rows  move_files or move_work
  Status MoveRows(Statement& rows, std::string_view from, std::string_view to);
  /// What work on sources below `from` had for side-cars. Before its rows are moved, by which it is found.
  Status MoveSidecars(std::string_view from, std::string_view to);
  /// That of an output folder that was copied or moved: files everything that was below it under its new
  /// place.
  Status KnowHome();
  /// Files likewise what was below folders beside the output folder that came along from where that was.
  /// @return these, where they are now
  Result<std::vector<std::string>> KnowBeside(const std::string& from, bool copied);
  /// Whether a known input folder, or the catalog's own, lies there.
  Result<bool> HoldsInputs(const std::string& place);
  Status RenameFingerprint(int64_t id, std::string_view fingerprint);
  Status PutNoted(std::string_view name, std::string_view value);
  /// A fact of no content; "" where there is none.
  std::string FindNoted(std::string_view name);
  Status PutWorkRow(const WorkKey& key, const WorkRow& row);
  Status CountPut();
  /// When the committer has something to end.
  std::optional<std::chrono::steady_clock::time_point> Due() const;
  void CommitInBackground();
};

}  // namespace imgmill
