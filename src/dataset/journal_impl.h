// What a journal knows while it plans, acts and reverts.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dataset/action_targets.h"
#include "dataset/journal_file.h"
#include "dataset/moved_links.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {

struct ActionJournal::Impl {
  /// An action whose start line is written, or about to be.
  struct Ready {
    size_t id = 0;
    FileAction action;
    ActionStart start;
  };
  /// An image's action, unless it was passed over, and those of its side-cars.
  struct Group {
    std::optional<Ready> image;
    std::vector<Ready> sidecars;
    /// Why the image stays: there can be no note in the trash of it, or of what goes with it.
    std::optional<Error> not_noted;
  };
  /// What the plan says of an image and its side-cars.
  struct Planned {
    size_t id = 0;
    FileAction image;
    std::vector<FileAction> sidecars;  ///< with the ids that follow
  };

  JournalFile file;
  bool opened = false;  ///< found, not made: no plan is added
  size_t first = 0;     ///< of what this run has planned; before it stands what an earlier one has
  /// What an earlier run had begun and is complete now: where each path went.
  std::map<std::string, std::string> completed;
  /// Side-cars of images that went in an earlier run, which cannot follow them.
  std::vector<std::pair<FileAction, Error>> stranded;
  /// Of the paths of all images that earlier runs have done and that counts as theirs, in order: a hash each,
  /// for there may be millions.
  std::vector<uint64_t> done_before;
  ActionCounts counts;
  Notes notes;
  MovedLinks moved_links;
  std::set<std::string> touched;  ///< folders to sync
  std::set<std::string> swept;    ///< folders where what killed runs left half made was removed

  bool WasComplete() const;
  bool WasDoneBefore(const std::string& path) const;
  Status Settle();
  Status SettleOne(size_t id, bool image_went);
  /// The killed run's moves, for links among them that it did not lead to where their files went.
  Status KnowMoves();
  void NoteMove(size_t id, const FileAction& action, const ActionStart& start);
  Status LeadLinks();
  void RemoveMade() const;
  Status UndoOne(size_t id, UndoSummary& summary, const Report& report);

  // Of Execute.
  Status CarryOut(const StopFlag& stop, const Report& report);
  Result<Planned> PlannedAt(size_t id) const;
  Status Tell(size_t id, const FileAction& action, const Status& status, const Report& report);
  void TellFound(FileAction action, const std::string& target) const;
  /// The folders that an action needs.
  Status AddMissingFolders(const FileAction& action, const std::string& target);
  Status TellStaying(const Planned& planned);
  Result<std::optional<std::string>> AlreadyWent(size_t id, const FileAction& action, const Report& report,
                                                 bool& stays);
  Status PrepareGroup(const Planned& planned, std::vector<Group>& batch, TakenTargets& taken,
                      const Report& report);
  Status PrepareSidecar(size_t id, FileAction action, const FileAction& image, const std::string& went,
                        Group& group, TakenTargets& taken, const Report& report);
  Status ChooseAgain(Group& group, const Report& report);
  Status ChooseAgainInTrash(Ready& sidecar);
  /// In the trash under another name where its own was taken meanwhile.
  Status PerformSidecar(Ready& sidecar);
  static void WriteNotes(std::vector<Group>& batch);
  void RemoveOrphanNotes(const std::vector<Group>& batch);
  Status PerformGroup(Group& group, const Report& report);
  Status TellPerformed(const Ready& ready, const Status& status, const Report& report);
  void SyncTouched();
  void SweepOnce(const std::string& folder);
  void SweepAround(const FileAction& action, const std::string& target);
};

}  // namespace imgmill
