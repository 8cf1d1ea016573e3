// `imgmill undo FILE`: runs a journal backwards and says what became of each file.
#include <cstdio>

#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "imgmill/dataset/journal.h"
#include "session.h"
#include "stop_signals.h"
#include "tool.h"

namespace imgmill {
namespace {

ExitCode UndoFromFile(const std::string& file) {
  const Result<UndoSummary> undone =
      UndoActions(file, InstallStopSignals(), [](const FileAction& action, const Status& status) {
        if (status.ok()) {
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
  std::fprintf(
      stderr, "imgmill: info: %llu restored, %llu untouched, %llu deleted for good, %llu failed\n",
      static_cast<unsigned long long>(undone->restored), static_cast<unsigned long long>(undone->untouched),
      static_cast<unsigned long long>(undone->gone), static_cast<unsigned long long>(undone->failed));
  if (undone->interrupted) return ExitCode::kRetry;
  return undone->failed + undone->gone > 0 ? ExitCode::kSomeFailed : ExitCode::kDone;
}

class Undo final : public Tool {
 public:
  explicit Undo(Flags& flags) {
    flags.Footer("Example:\n  imgmill undo .imgmill/undo-20260102-030405.tsv");
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
