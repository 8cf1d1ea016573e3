// Which failures are a frame's own, and how they are told.
#include "frame_loop.h"

#include <algorithm>

#include "base/try.h"
#include "region_loop.h"

namespace imgmill {
namespace {

bool IsOfFrame(Code code) {
  constexpr Code kSuch[] = {Code::kTruncated, Code::kMalformed, Code::kUnsupported, Code::kLimitExceeded,
                            Code::kUnknownFormat};
  return std::ranges::find(kSuch, code) != std::end(kSuch);
}

bool IsBroken(Code code) {
  return code == Code::kTruncated || code == Code::kMalformed;
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

Result<FramesSeen> MapFrames(FrameSource& frames, const ItemPlan& plan, ItemTask& task, Progress& progress) {
  FramesSeen seen;
  LostFrames lost;
  int64_t kept = 0;
  for (int64_t number = 0;; ++number) {
    const Result<std::optional<Frame>> frame = frames.Next();
    if (frame && !*frame) break;
    const bool wanted = !frame || task.Wants(**frame);
    if (!wanted) continue;
    const Status mapped =
        frame ? MapFrame(frames, **frame, plan, task, progress, seen.notes) : Status(frame.error());
    if (mapped) {
      ++kept;
      continue;
    }
    Error error = mapped.error();
    const bool first_alone = kept == 0 && !frames.independent();
    if (first_alone || !IsOfFrame(error.code)) return error;
    task.LoseFrame();
    if (!frames.independent()) error.message += "; what is before it is kept";
    if (!frames.independent() && plan.reading.allow_truncated && IsBroken(error.code)) {
      seen.notes.push_back("frame " + std::to_string(number) + ": " + error.message);
    } else {
      lost.Add(number, error);
    }
    if (!frames.independent()) break;
  }
  seen.lost = lost.Told();
  if (kept == 0 && seen.lost) return *seen.lost;
  return seen;
}

}  // namespace imgmill
