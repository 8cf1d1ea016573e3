// `imgmill undo FILE`: runs a journal backwards and says what became of each file.
#include <cstdio>
#include <string>
#include <vector>

#include "base/counted.h"
#include "base/path_parts.h"
#include "cli/session/session.h"
#include "cli/session/stop_signals.h"
#include "forgotten_work.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "imgmill/dataset/journal.h"
#include "tool.h"

namespace imgmill {
namespace {

/// "1 restored with 2 files that went along, 0 untouched, ...": an image and its side-cars are no three
/// images.
std::string SumOf(const UndoSummary& undone) {
  std::string sum = std::to_string(undone.restored) + " restored";
  if (undone.sidecars > 0) sum += " with " + Counted(undone.sidecars, "file") + " that went along";
  return sum + ", " + std::to_string(undone.untouched) + " untouched, " + std::to_string(undone.gone) +
         " deleted for good, " + std::to_string(undone.failed) + " failed";
}

ExitCode UndoFromFile(const std::string& file) {
  std::vector<UndoneFile> taken_away, restored;
  const Result<UndoSummary> undone =
      UndoActions(file, InstallStopSignals(), [&](const FileAction& action, const Status& status) {
        if (status.ok()) {
          const std::string path = AbsoluteEntry(action.path);
          if (action.has_target()) taken_away.push_back({action.target, path});
          if (action.moves() || action.takes_away()) restored.push_back({path, path});
          std::printf("%s %s\n", action.adds() ? "removed" : "restored",
                      PrintablePath(action.adds() ? action.target : action.path).c_str());
        } else {
          std::fprintf(stderr, "imgmill: error: %s\n", Describe(action.path, status.error()).c_str());
        }
      });
  if (!undone) {
    std::fprintf(stderr, "imgmill: error: %s\n", undone.error().message.c_str());
    return ExitCodeFor(undone.error());
  }
  // The files are as they were: that counts, whatever becomes of the record.
  const auto warn = [](const std::vector<Error>& errors, const char* what) {
    for (const Error& each : errors)
      std::fprintf(stderr, "imgmill: warning: %s; imgmill verify will %s\n", each.message.c_str(), what);
  };
  // An undo file may lie with the catalog, or tell which one it is of.
  std::vector<std::string> folders = {ParentOf(AbsoluteEntry(file))};
  if (!undone->record.empty()) folders.push_back(undone->record);
  warn(ForgetUndone(folders, taken_away),
       "miss what was taken away (imgmill verify --forget takes it off the record)");
  warn(RecallRestored(folders, restored), "perhaps not know what was brought back until the next run");
  std::fprintf(stderr, "imgmill: info: %s\n", SumOf(*undone).c_str());
  if (undone->interrupted) return ExitCode::kRetry;
  return undone->failed + undone->gone > 0 ? ExitCode::kSomeFailed : ExitCode::kDone;
}

class Undo final : public Tool {
 public:
  explicit Undo(Flags& flags) {
    flags.Footer("Example:\n  imgmill undo undo-20260102-030405.tsv");
    flags.Add("file", file_, "The undo file that an action wrote").Type("FILE").Required();
  }
  ExitCode Run() override {
    const ExitCode code = UndoFromFile(file_);
    return Print({}, code);
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Tool> AddUndo(Flags& flags) {
  return std::make_unique<Undo>(flags);
}

}  // namespace imgmill
