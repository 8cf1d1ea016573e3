// Moves, copies, links and deletes files so that nothing is lost by accident: first the undo file, then the
// act.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/dataset/file_identity.h"

namespace imgmill {

/// One change of the file system. Relative paths are made absolute when it is planned.
struct FileAction {
  enum class Kind {
    kMove,      ///< to `target`; is that taken, to the next free of "name-2.jpg", "name-3.jpg". Where one of
                ///< these is the file itself, nothing is to be done.
    kHardlink,  ///< replaced, in one step, by a hard link to `keeper`; only if their contents are equal
    kSymlink,  ///< replaced, in one step, by a relative symbolic link to `keeper`; only if their contents are
               ///< equal
    kDelete,   ///< for good; what undo can bring back is a content that `keeper` has, too
    kTrash,    ///< as a move to `target`, which TrashTargetOf has said, with a note there on where it was
    // These leave `path` as it is and add a file at `target`. Is one there already that is just this, there
    // is nothing to do; another file's name is left alone: the next free number is taken, as for a move.
    kCopy,         ///< bytes, mode, time
    kNewHardlink,  ///< a second name
    kNewSymlink    ///< a relative symbolic link
  };
  Kind kind = Kind::kMove;
  std::string path;
  std::string target;  ///< of a move, copy or new link: where to, with its name
  /// The file that stays in its stead; required to replace or delete, checked if given to move.
  std::string keeper;
  /// As `path` was when it was judged: an action on a file that has changed since is refused. Nothing: any
  /// will do.
  std::optional<FileStamp> seen;
  /// What was judged. Where both are given, the bytes are read again right before the act: equal ones must
  /// still be equal to the keeper's, byte for byte, and of a near-duplicate both files must have just these.
  std::optional<ContentDigest> content;
  std::optional<ContentDigest> keeper_content;
  /// A side-car, such as a caption: it goes only if the image planned before it does, right after it, and
  /// gets the same number where that gets one. `target` is beside the image's.
  bool sidecar = false;
  /// Its place in the plan, from 0, side-cars not counted; a side-car has its image's. Set by the journal.
  uint64_t number = 0;

  /// Whether the file itself stays as it is, and another is added.
  bool adds() const { return kind >= Kind::kCopy; }
  /// Whether it is nowhere then that imgmill looks.
  bool takes_away() const { return kind == Kind::kDelete || kind == Kind::kTrash; }
  bool moves() const { return kind == Kind::kMove || kind == Kind::kTrash; }
  bool has_target() const { return moves() || adds(); }
};

struct ActionCounts {
  uint64_t done = 0;         ///< without side-cars
  uint64_t sidecars = 0;     ///< of them, those done
  uint64_t already = 0;      ///< done by an earlier Execute, undone since, or nothing was to be done; without
                             ///< what ActionJournal::completed counts
  uint64_t failed = 0;       ///< with side-cars
  bool interrupted = false;  ///< by the stop flag; Open and Execute go on
  /// What ended it early, such as a full disk: what remains can be executed later.
  std::optional<Error> error;
};

struct UndoSummary {
  uint64_t restored = 0;   ///< without side-cars
  uint64_t sidecars = 0;   ///< of them, those restored
  uint64_t untouched = 0;  ///< never done, or undone already; without side-cars
  uint64_t gone = 0;       ///< deleted for good: the keeper's content is another; with side-cars
  uint64_t failed = 0;     ///< with side-cars
  bool interrupted = false;
  std::string record;  ///< as given to ActionJournal::Create; empty in files of earlier versions
};

/// The undo file: a plan, and what was done of it. Text, a line a record, fields separated by tabs, paths as
/// PrintablePath writes them; docs/undo.md describes it. Some 24 bytes of memory an action.
///
/// Order of events: all plan lines are written and synced; then, 64 at a time, each action's start line (what
/// its file was, where exactly it goes) is written and synced before the act, and a done or failed line
/// follows it. A process killed at any point leaves files whole and in one of two places; Open and Execute
/// complete the plan, Resume ends it, and Undo reverts what was done of it, by the lines and by what the file
/// system shows. Side-cars start with their image: Resume sends them after one that went.
class ActionJournal {
 public:
  /// Told of each action that was tried, with its final target. An error is of stage kAct and counts as
  /// failed.
  using Report = std::function<void(const FileAction& action, const Status& status)>;

  /// A new undo file; one that exists already is kConflict.
  /// @param record  absolute, the output folder whose record tells of these actions; empty where none does
  static Result<std::unique_ptr<ActionJournal>> Create(const std::string& path, const std::string& command,
                                                       const std::string& record = {});
  /// An undo file of an earlier run, to go on with it. kLocked while another process works on it, kMalformed
  /// if it is not an undo file, or of a newer version.
  static Result<std::unique_ptr<ActionJournal>> Open(const std::string& path);
  /// As given to Create for the file at `path`, of which no more is read, also while another process works on
  /// it. kMalformed as Open.
  static Result<std::string> CommandOf(const std::string& path);
  /// An undo file that a killed or interrupted run has left. What that run was in the middle of is completed:
  /// a move that has made its target loses its source. The rest of its plan is not carried out: more may be
  /// planned instead, in the same file, and a path that was just completed is passed over when it is planned
  /// again: it is counted by `completed`. Half-made files that were left next to them are removed. Null if
  /// the run was complete. Errors as Open.
  static Result<std::unique_ptr<ActionJournal>> Resume(const std::string& path);
  ~ActionJournal();
  ActionJournal(const ActionJournal&) = delete;
  ActionJournal& operator=(const ActionJournal&) = delete;

  /// Adds an action to the plan. Nothing is touched yet. Not after Execute.
  Status Plan(const FileAction& action);
  /// What is about to be made for the sake of the actions, a folder or a file, on the disk when it returns:
  /// folders above it that are not there yet are made, too. Nothing if it is there already. Undo removes such
  /// folders when they are empty, or have nothing in them but such a file.
  Status NoteMade(const std::string& path);
  /// By this run.
  uint64_t planned() const;
  /// What earlier runs have done: had noted, had begun and Resume found complete, or has completed. Execute
  /// counts none of it again.
  uint64_t completed() const;
  /// As given to Create.
  const std::string& command() const;
  const std::string& path() const;  ///< absolute
  /// What `earlier` has completed counts as completed here, too.
  void TakeOver(const ActionJournal& earlier);

  /// What a caller that keeps a record of its own is told; either may be empty.
  struct Notes {
    /// Of an action that adds a file which is there already, with its target.
    std::function<void(const FileAction& action)> found;
    /// All that can be done was: before the undo file says that it has ended, so that a run that is killed
    /// here is gone on with. Its error is one of the counts.
    std::function<Status()> before_end;
  };

  /// Seals the plan and carries it out in order. The result is an error only where nothing was touched; one
  /// that comes later, such as a full disk, is among the counts, and what remains can be executed later.
  Result<ActionCounts> Execute(const StopFlag& stop, const Report& report, const Notes& notes = {});

  /// Tells of all actions that were done and not undone, also by earlier runs, with their final targets.
  Status ForEachDone(const std::function<Status(const FileAction& action)>& each) const;

  /// Reverts what was done, last action first. Nothing that is at a path meanwhile is overwritten: that
  /// action is reported (kConflict) and may be undone later. Safe to repeat.
  Result<UndoSummary> Undo(const StopFlag& stop, const Report& report);

 private:
  ActionJournal();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// ActionJournal::Open and Undo: what `imgmill undo FILE` does.
Result<UndoSummary> UndoActions(const std::string& path, const StopFlag& stop,
                                const ActionJournal::Report& report);

}  // namespace imgmill
