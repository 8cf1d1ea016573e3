// The many files that one source gives, such as its tiles: all of them are published, or none; of a source
// that gives very many, such as a video, a few at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "imgmill/dataset/publish.h"
#include "imgmill/engine/output_folder.h"

namespace imgmill {

/// Where the files of one set may lie: each path below the output folder begins with one of these. They tell
/// its rows in the catalog from others of the same source. Several are sides of one set: each is a folder of
/// one name, and behind it what all of them share.
using SetPrefixes = std::vector<std::string>;

/// Collects a set's files under temporary names and publishes them with one transaction before the renames
/// and one after. A row for the set itself holds how many files there are, so that a rerun can tell a whole
/// set from half of one. Not thread-safe; sets of different items do not touch each other.
class OutputSet {
 public:
  OutputSet(OutputFolder& folder, const Item& item, SetPrefixes prefixes);
  /// Removes what was not published.
  ~OutputSet();
  OutputSet(const OutputSet&) = delete;
  OutputSet& operator=(const OutputSet&) = delete;

  /// Writes a file of the set under a temporary name. Errors as OutputFolder::Begin, and those of writing.
  Status Add(const std::string& relative, std::span<const uint8_t> bytes);
  /// The temporary name that a file of the set is to be written to by the caller, who calls End then.
  Result<std::string> Begin(const std::string& relative);
  Status End(const std::string& relative);
  /// The same where the caller knows what it has written.
  void End(const std::string& relative, int64_t size, const ContentDigest& digest);
  /// Takes back what Add or Begin began.
  void Remove(const std::string& relative);
  /// Before the first file: from now on PublishSoFar may be called, and what earlier runs have published of
  /// this set, and is as they left it, belongs to it. Files are then given by Begin and End.
  Status Resume();
  /// Whether the file is published already.
  bool Has(const std::string& relative) const;
  /// Publishes the files that have ended, whatever becomes of the others.
  Status PublishSoFar();
  /// Publishes all of it, and removes what is left of the set that it replaces: of the image that was at
  /// the source's path before. If that fails, nothing of the set is left; if only the rows after it do, a
  /// rerun finds the set whole.
  /// @param missing  files that belong to it and could not be made: a rerun never takes it for whole
  Status Commit(size_t missing = 0);

  /// Paths below the output folder, in bytewise order.
  std::vector<std::string> names() const;
  /// After Resume: those of them that are in place, also where the others could not follow.
  std::vector<std::string> published() const;

 private:
  struct Held {
    std::string temporary;  ///< empty once it is published
    WorkRow row;
  };
  using Files = std::map<std::string, Held>;
  using Rows = std::vector<std::pair<WorkKey, WorkRow>>;
  /// The row that stands for the set.
  std::pair<WorkKey, WorkRow> Whole(WorkRow::State state, size_t missing) const;
  std::pair<WorkKey, WorkRow> NotWhole() const;
  Status Put(WorkRow::State state, size_t missing);
  /// Removes what has a temporary name.
  void GiveUp();
  /// A file of the set on its way to its name.
  Result<ReadyFile> Ready(const std::string& relative, const Held& held) const;
  Status ClaimName();
  /// All files on their way to their names, but for those that are there already, or were moved from there.
  Status MakeReady(std::vector<ReadyFile>& ready);
  Status CommitResumed(size_t missing);
  Status RemoveReplaced();

  OutputFolder& folder_;
  const Item& item_;
  SetPrefixes prefixes_;
  Files files_;
  bool resumed_ = false;
  bool begun_ = false;              // something was published ahead of the rest
  bool claimed_ = false;            // the set's name
  bool published_ = false;          // some of it
  std::vector<std::string> ended_;  // and is still to be published
  std::set<std::string> made_;      // folders
};

/// What earlier runs with other options have made of an item, and this one has not.
struct EarlierChoice {
  uint64_t files = 0;
  std::string example;          ///< the first of them
  std::set<std::string> sides;  ///< folders of sides with such files that the set has none in
};

/// Looks for those files under a set's prefixes; they are ours to the byte.
/// @param own     the files of the set itself, in bytewise order
/// @param remove  whether they are to go
Result<EarlierChoice> FindEarlierChoice(OutputFolder& folder, const Item& item, const SetPrefixes& prefixes,
                                        const std::vector<std::string>& own, bool remove);

/// Refuses (kConflict) a set some of whose names may not be used because a set of another source has the same
/// prefixes and lies there: their files could not be told apart.
Status MayBeginSet(OutputFolder& folder, const Item& item, const SetPrefixes& prefixes);

/// Whether a set of these prefixes was written, of whatever source.
bool WasSetWritten(const OutputFolder& folder, const SetPrefixes& prefixes);

/// Files of a finished set that are not as they were written, and are left so: somebody has edited them.
struct SetEdits {
  std::function<bool(const std::string&)> may_be;  ///< whether a file is one that is edited by hand
  std::vector<std::string> found;
};

/// The files of a set that an earlier run finished, in bytewise order: all are in place with their size and
/// digest. A run killed between its last rename and its last row counts as finished, and gets its rows now;
/// of one killed between two renames the first files are removed, so that half a set is never mistaken for a
/// whole one. A whole set of the same content under another path is adopted, as OutputFolder::Finished does.
/// @param edits  files that may have been edited since, such as captions, and the names of those that were;
///               null: none may
Result<std::optional<std::vector<std::string>>> FindFinishedSet(OutputFolder& folder, const Item& item,
                                                                const SetPrefixes& prefixes,
                                                                SetEdits* edits = nullptr);

}  // namespace imgmill
