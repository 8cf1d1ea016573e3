// Where an operation's files go, and how they get there: intent row, fsync, rename, done row.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "imgmill/base/result.h"
#include "imgmill/catalog/catalog.h"
#include "imgmill/engine/operation.h"

namespace imgmill {

/// Publishes outputs so that a run killed at any point and started again ends with the bytes of an
/// undisturbed one. Thread-safe: paths of different items do not touch each other.
class OutputFolder {
 public:
  /// @param fingerprint  what determines the outputs' bytes: the operation's options, plan and versions.
  /// @param overwrite    replace files that are not ours, and those that earlier runs have made of other
  ///   sources; not those of this run.
  OutputFolder(std::string folder, std::string fingerprint, Catalog& catalog, bool overwrite);
  /// Removes the folders that nothing was published in: see LeftEmpty.
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  /// Whether `relative` was finished for this content by an earlier run: the done row, or an intent whose
  /// digest the file has (a run killed between rename and done row); either way size and digest of the file
  /// are compared. What was made of the same content under another path (the input folder was renamed, or
  /// copied) would have the same bytes: it is taken over.
  Result<bool> Finished(const Item& item, const std::string& relative);

  /// Refuses (kConflict) a target that exists, is not ours or is another source's and must not be
  /// overwritten, and always one that is the item's own source, or that this run has made of another.
  Status MayWrite(const Item& item, const std::string& relative);

  /// Where files are overwritten, and of a set's name, which ends in a slash and tells its files from those
  /// of others: the name is this item's from now on, until it gives it back. A second one that wants it is
  /// refused (kConflict), but for one of the same content, whose bytes are the same. Else the catalog says
  /// whose it is, and nothing is done.
  Status Claim(const Item& item, const std::string& relative);
  /// After a Claim that was granted: nothing was made under this name. Of items of the same content that have
  /// claimed it the others keep it.
  void GiveBack(const std::string& relative);
  /// Whether Claim would be refused, without claiming anything.
  Status MayClaim(const Item& item, const std::string& relative);

  /// Whether Begin could make the folder of `relative`: for plans and dry runs.
  Status MayMakeFolder(const std::string& relative) const;

  /// Makes folders, and refuses what MayWrite does.
  /// @return the temporary path to write to.
  Result<std::string> Begin(const Item& item, const std::string& relative);

  /// Publishes the complete temporary file.
  Status Commit(const Item& item, const std::string& relative, const std::string& temporary);
  /// Publishes the complete temporary file, whose digest is known.
  Status CommitAs(const Item& item, const std::string& relative, const std::string& temporary,
                  const ContentDigest& digest);

  /// Notes once where its outputs lie: to be called before any is written, or found finished.
  Status NoteFolder();

  /// Notes which side-cars the item has, for who looks later whether they are as they were: with the rows of
  /// its outputs.
  Status NoteSidecars(const Item& item);

  /// Side-cars are part of the fingerprint, so that others are another version of the same outputs.
  WorkKey KeyOf(const Item& item, const std::string& relative) const;
  /// Whether it was made with the options of this run, whatever the side-cars were.
  bool IsOfTheseOptions(const WorkKey& key) const;
  /// Whether the file at `relative` exists, with the size and digest of `row`.
  bool Holds(const std::string& relative, const WorkRow& row) const;
  /// Whether nothing is at `relative`, since an action, such as that of a pipeline's later step, has moved
  /// the file of `row` away, and it is as it was where it is now.
  bool WasMoved(const std::string& relative, const WorkRow& row) const;
  /// Whether nothing is at `relative`, since an action has moved the file that was there, and where it went
  /// there is one now that no run has written so.
  bool WasMovedEdited(const std::string& relative) const;
  /// Whether something was written under this name, or that of a set, of whatever source.
  bool WasWritten(const std::string& relative) const { return !catalog_.FindOutputs(relative).empty(); }
  /// Where an output that is there, or was moved, is now.
  std::string PlaceOf(const std::string& relative) const;
  Catalog& catalog() { return catalog_; }

  /// Whether what is filed under `key` is this item's to replace: its source is the same path; or content and
  /// fingerprint are the same, and so are the bytes; or its source was in the item's folder and is gone from
  /// there, replaced by this one (photo.jpg by photo.png).
  bool IsOfItem(const Item& item, const WorkKey& key) const;
  /// Whether another source keeps us from an output in place that is its own, and ours too if `ours`: sources
  /// of equal content have one output. It stays as long as one of the others may need it.
  bool HasClaim(const std::string& other_source, bool ours) const;
  /// The error for an item that must not touch an output of another source.
  Error OtherSources(const std::string& relative, const std::string& source) const;
  bool overwrite() const { return overwrite_; }

  /// Outputs that were begun in this sub-folder were abandoned: unless others publish there, it is removed.
  /// Not before the run's end, since others may be about to write there.
  void LeftEmpty(const std::string& folder);

  std::string PathOf(const std::string& relative) const { return folder_ + "/" + relative; }
  const std::string& folder() const { return folder_; }

 private:
  std::optional<std::string> EditedPlace(const std::string& relative) const;
  /// Whether the file at `relative` is, to the byte, one that this catalog says we wrote, and of this item.
  Status CheckOwner(const Item& item, const std::string& relative);
  Error Claimed(const Item& item, const std::string& relative, size_t work);

  std::string folder_;
  std::string fingerprint_;
  Catalog& catalog_;
  bool overwrite_;
  std::mutex mutex_;
  bool noted_ = false;
  std::set<std::string> left_empty_;
  struct ClaimedName {
    size_t work = 0;     ///< what it is of
    size_t holders = 0;  ///< items that have claimed it
  };
  /// The names that Claim has granted. Hashes, a few dozen bytes a name.
  std::unordered_map<size_t, ClaimedName> claims_;
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
