// Where an operation's files go, and how they get there: intent row, fsync, rename, done row.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "imgmill/base/result.h"
#include "imgmill/catalog/catalog.h"
#include "imgmill/stream/operation.h"

namespace imgmill {

/// Publishes outputs so that a run killed at any point and started again ends with the bytes of an
/// undisturbed one. Thread-safe: paths of different items do not touch each other.
class OutputFolder {
 public:
  /// @param fingerprint  what determines the outputs' bytes: the operation's options, plan and versions.
  /// @param overwrite    replace files that are not ours.
  OutputFolder(std::string folder, std::string fingerprint, Catalog& catalog, bool overwrite);

  /// Whether `relative` was finished for this content by an earlier run: the done row, or an intent whose
  /// digest the file has (a run killed between rename and done row); either way size and digest of the file
  /// are compared.
  Result<bool> Finished(const Item& item, const std::string& relative);

  /// Refuses (kConflict) a target that exists, is not ours and must not be overwritten, and always one that
  /// is the item's own source.
  Status MayWrite(const Item& item, const std::string& relative);

  /// Makes folders, and refuses what MayWrite does.
  /// @return the temporary path to write to.
  Result<std::string> Begin(const Item& item, const std::string& relative);

  /// Publishes the complete temporary file.
  Status Commit(const Item& item, const std::string& relative, const std::string& temporary);

  WorkKey KeyOf(const Item& item, const std::string& relative) const {
    return {item.absolute, item.WorkContent(), fingerprint_, relative};
  }
  /// The file at `relative` is there, with the size and digest of `row`.
  bool Holds(const std::string& relative, const WorkRow& row) const;
  Catalog& catalog() { return catalog_; }

  std::string PathOf(const std::string& relative) const { return folder_ + "/" + relative; }
  const std::string& folder() const { return folder_; }

 private:
  /// The file at `relative` is, to the byte, one that this catalog says we wrote.
  bool IsOurs(const std::string& relative);

  std::string folder_;
  std::string fingerprint_;
  Catalog& catalog_;
  bool overwrite_;
};

/// Removes a temporary file unless Release was called.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  void Release() { path_.clear(); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace imgmill
