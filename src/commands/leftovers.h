// What earlier runs have left in an output folder: files of images that are not there any more, that get
// other names now, or that the steps of a pipeline no longer let through.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "imgmill/catalog/catalog.h"
#include "imgmill/commands/command.h"

namespace imgmill {

enum class Pruning {
  kNo,
  kRehearse,  ///< only look what would be removed
  kYes
};

/// Folders that could not be looked into.
struct UnreadFolders {
  uint64_t count = 0;
  std::string example;  ///< path of the first, and why

  /// That they were left out; empty if there are none.
  std::string Warning() const;
};

/// Files that earlier runs have made of what is no input of this one, but is there: another run's, it may be,
/// as of a second pipeline with the same output folder, or the original's, of a project that was copied.
struct OthersFiles {
  uint64_t files = 0;
  std::string example;  ///< path of the first
  std::string source;   ///< that it was made of, maybe in several steps
  bool placed = false;  ///< they are copies and links

  void Add(const std::string& path, const std::string& made_of);
  /// How many they are, why they stay, and what can be done; empty if there are none.
  /// @param folder  where they lie
  /// @param output  the output folder whose catalog tells of them
  std::string Text(const std::string& folder, const std::string& output, const Catalog& catalog) const;
};

struct LeftFiles {
  uint64_t files = 0;
  uint64_t removed = 0;  ///< or would be
  uint64_t changed = 0;  ///< of those to be removed: somebody has, since, so that they stay
  uint64_t only = 0;     ///< likewise: copies of images that are gone or changed, maybe the last ones
  std::string folder;    ///< where they lie
  std::string example;   ///< path of one that stays, else of one
  UnreadFolders unread;  ///< nothing in them is counted above
  OthersFiles others;    ///< likewise
};

/// Why nothing may be removed; empty if that is none. A folder that is missing or has nothing in it is rather
/// a drive that is not mounted than a wish.
std::string WhyNotPrune(const ListOptions& list);

/// Goes through the steps of a run in their order. Only what the catalog knows as an output is looked at:
/// other files are their owner's.
class Leftovers {
 public:
  /// @param own  the folders and files that the run works on, and the folders that it writes to. What was
  /// made of others that are still there is somebody else's, such as another pipeline's with the same output
  /// folder.
  /// @param made_in  of these, the folders that steps make files of images in
  Leftovers(Catalog& catalog, const std::vector<std::string>& own, const std::vector<std::string>& made_in);

  /// Images that failed, or folders that could not be listed: what earlier runs made of them stays and is not
  /// counted, since they may be back tomorrow.
  Status Spare(const FailureTable& failed);

  /// @param folder   of the step; one that does not exist has nothing in it
  /// @param current  std::hash of the name of each file that the run has made there, or found finished
  /// @param pruning  kYes removes them, and folders that get empty by it, if they are as they were written
  Result<LeftFiles> Look(const std::string& folder, std::vector<size_t> current, Pruning pruning);
  /// Of a dry run: files of these names below the folder are not as they are now when later steps come to
  /// them, so that what was made of them is left over only if they are.
  void Await(const std::string& folder, std::vector<size_t> names);
  /// The same of a folder that a step copies images to, or makes links of them in. A copy goes only where
  /// what it is a copy of is there, as it was, or was itself made by a step, and is gone as that is.
  /// @param command  "filter"
  Result<LeftFiles> LookAtPlaced(const std::string& command, PlacedFiles placed, Pruning pruning);

  /// A command alone, which others may share its folder with.
  struct Alone {
    std::function<bool(std::string_view fingerprint)> is_its_work;
    /// Whether a file is called as one that the run makes, or may make with other options.
    std::function<bool(const std::string& name)> has_its_name;
    /// Whether the run has worked on a source: what it has elsewhere is left over.
    std::function<bool(const std::string& source)> is_worked_on;
  };
  /// Of these, and of sources that are gone from the folders that the run works on.
  Result<LeftFiles> LookAtStale(const std::string& folder, const Alone& alone, Pruning pruning);

 private:
  /// A folder, and what tells its files of this run from those of earlier ones.
  struct Looked {
    std::string folder;
    /// Whether work is what the step does there.
    std::function<bool(const WorkKey& key)> is_of_step;
    /// By its name alone, and if that does not tell, by the rows that it has.
    std::function<bool(const std::string& name)> is_current;
    std::function<bool(const FoundWork& found)> is_current_work;
    /// Another's source that work was done on; empty where it is the run's to judge.
    std::function<std::string(const WorkKey& key)> others_source;
    bool copies = false;
  };
  Result<LeftFiles> Look(const Looked& looked, Pruning pruning);
  bool IsSpared(const std::string& source) const;
  bool IsBelowOwn(const std::string& source) const;
  /// Of a pipeline: another's source that is there, and that this one is or was made of; empty if there is
  /// none.
  std::string OthersSource(const WorkKey& key) const;
  /// Of a source that is gone, as where a later step has moved it: what it was made of, if that is an image
  /// that failed, or another's; else empty. @param seen  sources that were asked for
  std::string OthersMadeInto(const WorkKey& key, std::set<std::string>& seen) const;
  /// Why a file is not left over, if it is not.
  struct Stays {
    bool failed = false;        ///< an image that it was made of has failed
    std::string others_source;  ///< it was made of this, which is another's; empty if of none
  };
  Stays WhyItStays(const Looked& looked, const std::vector<FoundWork>& rows) const;
  /// The rows by which a file of this name is one of ours; none where it is not.
  std::vector<FoundWork> RowsOf(const Looked& looked, const std::string& name) const;
  bool IsAwaited(const std::string& source) const;
  /// Whether a step has made this content at this path, where nothing is any more.
  bool WasMade(const std::string& source, const ContentDigest& content) const;
  Status Remove(const Looked& looked, const std::string& name, Pruning pruning, LeftFiles& left);

  Catalog& catalog_;
  std::vector<std::string> own_;       ///< canonical
  std::vector<std::string> made_in_;   ///< likewise
  std::unordered_set<size_t> spared_;  ///< hashes of canonical paths
  std::unordered_set<size_t> others_;  ///< of these, files that stay as they were made of others' images
  std::string awaited_in_;             ///< canonical
  std::vector<size_t> awaited_;        ///< hashes of names there, in order
};

}  // namespace imgmill
