// Which failures are a frame's own, and how they are told.
#include "frame_loop.h"

#include <algorithm>

#include "base/try.h"
#include "image/readable_part.h"
#include "region_loop.h"

namespace imgmill {
namespace {

bool IsOfFrame(Code code) {
  constexpr Code kSuch[] = {Code::kTruncated, Code::kMalformed, Code::kUnsupported, Code::kLimitExceeded,
                            Code::kUnknownFormat};
  return std::ranges::find(kSuch, code) != std::end(kSuch);
}

/// Whether what a task has published stays, and is told, though the rest cannot follow now: the disk is full,
/// a name is taken. Not where the same item is tried again, or left to a rerun.
bool EndsWhatStays(Code code) {
  return code != Code::kInterrupted && code != Code::kOutOfMemory && code != Code::kTooLarge;
}

void AddNew(const std::vector<std::string>& from, std::vector<std::string>& notes) {
  for (const std::string& note : from) {
    if (std::ranges::find(notes, note) == notes.end()) notes.push_back(note);
  }
}

/// The frames that could not be read, in one error: the first few with their reasons.
class LostFrames {
 public:
  void Add(int64_t number, const Error& error) {
    constexpr size_t kMostTold = 3;
    const std::string told = "frame " + std::to_string(number) + ": " + error.message;
    if (count_ == 0) first_ = Error{error.stage, error.code, told};
    if (count_ > 0 && count_ < kMostTold) first_.message += "; " + told;
    if (++count_ > kMostTold) more_ = "; and " + std::to_string(count_ - kMostTold) + " more";
  }
  std::optional<Error> Told() const {
    if (count_ == 0) return std::nullopt;
    return Error{first_.stage, first_.code, first_.message + more_};
  }

 private:
  size_t count_ = 0;
  Error first_;
  std::string more_;
};

Status MapFrame(FrameSource& frames, const Frame& frame, const ItemPlan& plan, ItemTask& task,
                Progress& progress, std::vector<std::string>& notes) {
  std::unique_ptr<RowReader> rows = TRY(frames.Open(plan.reading));
  TRY(task.BeginFrame(frame, rows->layout()));
  int64_t mapped = 0;
  TRY(MapRegions(*rows, plan.regions, task, progress, mapped));
  AddNew(rows->notes(), notes);
  return task.EndFrame();
}

}  // namespace

Result<FramesSeen> MapFrames(FrameSource& frames, const ItemPlan& plan, ItemTask& task, Progress& progress,
                             const StopFlag& stop) {
  FramesSeen seen;
  LostFrames lost;
  std::optional<Error> allowed;  // the first that was only noted
  int64_t kept = 0;
  for (int64_t number = 0;; ++number) {
    if (task.publishes_as_it_goes() && stop.StopRequested())
      return Error{Stage::kDecode, Code::kInterrupted, "stopped at frame " + std::to_string(number)};
    const Result<std::optional<Frame>> frame = frames.Next();
    if (frame && !*frame) break;
    number = frame ? (*frame)->number : frames.fault_number().value_or(number);
    const Result<ItemTask::Wanted> wanted =
        frame ? task.Wants(**frame, frames) : Result<ItemTask::Wanted>(frame.error());
    if (wanted && *wanted == ItemTask::Wanted::kNo) continue;
    const bool to_read = wanted && *wanted == ItemTask::Wanted::kRows;
    const Status mapped = to_read  ? MapFrame(frames, **frame, plan, task, progress, seen.notes)
                          : wanted ? Status()
                                   : Status(wanted.error());
    if (mapped) {
      ++kept;
      continue;
    }
    Error error = mapped.error();
    const bool first_alone = kept == 0 && !frames.independent();
    const bool of_frame = IsOfFrame(error.code);
    if (!of_frame && kept > 0 && task.publishes_as_it_goes() && EndsWhatStays(error.code)) {
      task.LoseFrame();
      seen.lost =
          Error{error.stage, error.code,
                "frame " + std::to_string(number) + ": " + error.message + "; what is before it is kept"};
      return seen;
    }
    if (first_alone || !of_frame) return error;
    task.LoseFrame();
    if (!frames.independent()) error.message += "; what is before it is kept";
    if (frames.may_be_partial() && plan.reading.allow_truncated && IsBroken(error.code)) {
      seen.notes.push_back("frame " + std::to_string(number) + ": " + error.message);
      if (!allowed) allowed = error;
    } else {
      lost.Add(number, error);
    }
    if (!frames.independent()) break;
  }
  seen.lost = lost.Told();
  if (kept == 0 && seen.lost) return *seen.lost;
  if (kept == 0 && allowed) return *allowed;
  return seen;
}

}  // namespace imgmill
