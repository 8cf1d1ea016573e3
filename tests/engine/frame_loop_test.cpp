// Which frames a task is shown, and what is told of those that cannot be read.
#include "engine/frame_loop.h"

#include <doctest/doctest.h>

#include <map>

using namespace imgmill;

namespace {

/// One row whose byte is the frame's number.
class OneRow final : public RowReader {
 public:
  explicit OneRow(int64_t number) : number_(number), notes_({"a note"}) {}
  const Layout& layout() const override { return layout_; }
  Status Read(int64_t, uint8_t* destination, size_t) override {
    *destination = static_cast<uint8_t>(number_);
    return {};
  }
  const std::vector<std::string>& notes() const override { return notes_; }

 private:
  int64_t number_;
  Layout layout_{1, 1, 1, Sample::kU8};
  std::vector<std::string> notes_;
};

/// Six frames, of which some cannot be had: in Next, or only in Open.
class SixFrames final : public FrameSource {
 public:
  SixFrames(bool independent, std::map<int64_t, Code> lost, bool late = false)
      : independent_(independent), late_(late), lost_(std::move(lost)) {}
  Result<std::optional<Frame>> Next() override {
    if (++number_ == 6) return std::optional<Frame>();
    if (!late_ && lost_.contains(number_)) return Broken();
    return std::optional(Frame{number_, std::nullopt, {}});
  }
  Result<std::unique_ptr<RowReader>> Open(const ReadOptions&) override {
    if (lost_.contains(number_)) return Broken();
    return std::unique_ptr<RowReader>(std::make_unique<OneRow>(number_));
  }
  bool independent() const override { return independent_; }

 private:
  Error Broken() const { return {Stage::kDecode, lost_.at(number_), "broken"}; }

  bool independent_;
  bool late_;
  std::map<int64_t, Code> lost_;
  int64_t number_ = -1;
};

class Collecting final : public ItemTask {
 public:
  Result<Wanted> Wants(const Frame& frame, FrameSource&) override {
    return frame.number == unwanted ? Wanted::kNo : frame.number == made ? Wanted::kMade : Wanted::kRows;
  }
  bool publishes_as_it_goes() const override { return as_it_goes; }
  Status BeginFrame(const Frame& frame, const Layout&) override {
    begun = frame.number;
    return {};
  }
  Status Map(const Region& region) override {
    CHECK(*region.own().row(0) == begun);
    return {};
  }
  Status EndFrame() override {
    seen.push_back(begun);
    return {};
  }
  void LoseFrame() override { ++lost; }
  Status Finish(Outcome&) override { return {}; }

  int64_t unwanted = -1;
  int64_t made = -1;
  bool as_it_goes = false;
  int64_t begun = -1;
  std::vector<int64_t> seen;
  int lost = 0;
};

Result<FramesSeen> Run(FrameSource& frames, Collecting& task, bool allow_truncated = false,
                       bool stopped = false) {
  ImageHeader header;
  header.width = header.height = header.bands = 1;
  ReadOptions reading;
  reading.allow_truncated = allow_truncated;
  Progress progress;
  StopFlag stop;
  if (stopped) stop.RequestStop();
  return MapFrames(frames, ItemPlan(header, reading, RegionPlan{}), task, progress, stop);
}

using Numbers = std::vector<int64_t>;

}  // namespace

TEST_CASE("a task sees the rows of each frame that it wants, and each note is told once") {
  SixFrames frames(false, {});
  Collecting task;
  task.unwanted = 2;
  const Result<FramesSeen> seen = Run(frames, task);
  REQUIRE(seen);
  CHECK_FALSE(seen->lost);
  CHECK(seen->notes == std::vector<std::string>{"a note"});
  CHECK(task.seen == Numbers{0, 1, 3, 4, 5});
}

TEST_CASE("an animation ends at the frame that is lost, a TIFF continues, and each is named") {
  for (const bool late : {false, true}) {
    CAPTURE(late);
    SixFrames animation(false, {{2, Code::kMalformed}, {4, Code::kMalformed}}, late);
    Collecting task;
    const Result<FramesSeen> seen = Run(animation, task);
    REQUIRE(seen);
    REQUIRE(seen->lost);
    CHECK(seen->lost->message == "frame 2: broken; what is before it is kept");
    CHECK(task.seen == Numbers{0, 1});
    CHECK(task.lost == 1);

    SixFrames pages(
        true, {{0, Code::kTruncated}, {2, Code::kMalformed}, {3, Code::kUnsupported}, {4, Code::kTruncated}},
        late);
    Collecting rest;
    const Result<FramesSeen> most = Run(pages, rest);
    REQUIRE(most);
    REQUIRE(most->lost);
    CHECK(most->lost->code == Code::kTruncated);
    CHECK(most->lost->message == "frame 0: broken; frame 2: broken; frame 3: broken; and 1 more");
    CHECK(rest.seen == Numbers{1, 5});
  }
}

TEST_CASE("what is no frame's own fault ends the item, and so does an item without any frame") {
  SixFrames disk(true, {{3, Code::kReadError}});
  Collecting task;
  const Result<FramesSeen> seen = Run(disk, task);
  REQUIRE_FALSE(seen);
  CHECK(seen.error().code == Code::kReadError);
  // Of what is published as it comes, the frames before are told: they are there.
  SixFrames filling(true, {{3, Code::kDiskFull}});
  Collecting parts;
  parts.as_it_goes = true;
  const Result<FramesSeen> some = Run(filling, parts);
  REQUIRE(some);
  REQUIRE(some->lost);
  CHECK(some->lost->code == Code::kDiskFull);
  CHECK(some->lost->message == "frame 3: broken; what is before it is kept");
  CHECK(parts.seen == Numbers{0, 1, 2});
  SixFrames first(false, {{0, Code::kTruncated}});
  const Result<FramesSeen> none = Run(first, task);
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "broken");  // as every command has it
}

TEST_CASE("with allow_truncated, the frames before a broken one are all there is") {
  SixFrames animation(false, {{2, Code::kTruncated}});
  Collecting task;
  const Result<FramesSeen> seen = Run(animation, task, true);
  REQUIRE(seen);
  CHECK_FALSE(seen->lost);
  CHECK(seen->notes.back() == "frame 2: broken; what is before it is kept");
}

TEST_CASE(
    "a frame that an earlier run has made is not read, and keeps the others' failure from being the item's") {
  SixFrames pages(true, {{0, Code::kMalformed},
                         {2, Code::kMalformed},
                         {3, Code::kMalformed},
                         {4, Code::kMalformed},
                         {5, Code::kMalformed}});
  Collecting task;
  task.made = 1;
  const Result<FramesSeen> seen = Run(pages, task);
  REQUIRE(seen);
  CHECK(seen->lost);
  CHECK(task.seen == Numbers{});
}

TEST_CASE("a task that publishes as it goes is stopped between two frames, and no other") {
  SixFrames frames(false, {});
  Collecting whole;
  CHECK(Run(frames, whole, false, /*stopped=*/true));
  CHECK(whole.seen.size() == 6);
  SixFrames again(false, {});
  Collecting parts;
  parts.as_it_goes = true;
  const Result<FramesSeen> stopped = Run(again, parts, false, /*stopped=*/true);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == Code::kInterrupted);
}
