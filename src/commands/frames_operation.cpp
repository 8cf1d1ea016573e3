// Frames are written row by row as they come, under temporary names, and published together.
#include "frames_operation.h"

#include <algorithm>

#include "base/try.h"
#include "imgmill/dataset/output_names.h"
#include "imgmill/image/writer.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;
/// A frame's name, its temporary's, its row in the catalog, twice, and its times.
constexpr size_t kBytesPerFrame = 1024;
constexpr char kTimesFact[] = "frame-times/1";

std::string FingerprintOf(const FramesOptions& options, bool lenient) {
  // What was made of the readable part of a broken file is no result where such files are refused.
  return "frames/1 every " + std::to_string(options.every) + " " + options.file.Text() + " " +
         ImageLibraryVersions() + (lenient ? " lenient" : "");
}

ReadOptions ReadingOf(const SharedOptions& shared) {
  ReadOptions reading;
  reading.keep_profile = true;  // the writer attaches it again
  reading.allow_truncated = shared.allow_truncated;
  return reading;
}

struct FramesPayload final : Payload {
  std::vector<FrameTime> times;  ///< of all frames of the item, if they have any
};

}  // namespace

class FramesOperation::Task final : public ItemTask {
 public:
  Task(FramesOperation& operation, const Item& item)
      : operation_(operation),
        item_(item),
        prefixes_(operation.Prefixes(item.file)),
        set_(operation.folder_, item, prefixes_) {}

  bool Wants(const Frame& frame) override {
    if (frame.time) times_.push_back(*frame.time);
    return frame.number % operation_.options_.every == 0;
  }

  Status BeginFrame(const Frame& frame, const Layout& layout) override {
    WriteOptions writing = operation_.options_.file.Writing();
    writing.metadata_directory = frame.header.directory;
    TRY(FitsFormat(layout, writing.format));
    name_ = FrameName(prefixes_.front(), frame.number, operation_.extension());
    const std::string temporary = TRY(set_.Begin(name_));
    std::unique_ptr<RowWriter> writer = TRY(CreateRows(temporary, layout, writing, item_.file.path));
    writer_ = std::move(writer);
    return {};
  }

  Status Map(const Region& region) override { return writer_->Write(region.own()); }

  Status EndFrame() override {
    TRY(writer_->Finish());
    for (const std::string& note : writer_->notes()) {
      if (std::ranges::find(notes_, note) == notes_.end()) notes_.push_back(note);
    }
    writer_.reset();
    const Status ended = set_.End(name_);
    name_.clear();
    return ended;
  }

  void LoseFrame() override {
    writer_.reset();
    if (!name_.empty()) set_.Remove(name_);
    name_.clear();
  }

  Status Finish(Outcome& outcome) override {
    // Before the set: a rerun that finds this whole needs the times.
    TRY(operation_.catalog_.PutFact(item_.main.content, kTimesFact, PackTimes(times_)));
    TRY(set_.Commit(outcome.error ? 1 : 0));
    auto payload = std::make_unique<FramesPayload>();
    payload->times = std::move(times_);
    outcome.payload = std::move(payload);
    outcome.outputs = set_.names();
    outcome.notes.insert(outcome.notes.end(), notes_.begin(), notes_.end());
    return {};
  }

 private:
  FramesOperation& operation_;
  const Item& item_;
  const SetPrefixes prefixes_;
  OutputSet set_;
  std::string name_;  ///< of the frame that is being written
  std::unique_ptr<RowWriter> writer_;
  std::vector<FrameTime> times_;
  std::vector<std::string> notes_;
};

FramesOperation::FramesOperation(const FramesOptions& options, const CommandServices& services,
                                 OutputManifest* manifest)
    : Operation({"frames", FingerprintOf(options, services.shared->allow_truncated)}),
      options_(options),
      mode_(services.shared->mode),
      reading_(ReadingOf(*services.shared)),
      limits_(services.shared->limits),
      wants_files_(services.in_pipeline),
      catalog_(*services.catalog),
      folder_(options.output, traits().fingerprint, catalog_, services.shared->force),
      manifest_(manifest) {}

SetPrefixes FramesOperation::Prefixes(const ListedFile& file) const {
  return {OutputStemFor(file) + "_"};
}

Result<ItemPlan> FramesOperation::Plan(const Item& item) const {
  const ImageHeader& header = item.main.header;
  const WriteOptions writing = options_.file.Writing();
  ItemPlan plan(header, reading_, {kRowsPerRegion, 0});
  TRY(FitsFormat(plan.input, writing.format));
  plan.own_reader = true;
  plan.every_frame = limits_;
  // One frame at a time: what the largest takes, be it wide or high.
  ForEachFrameHeader(item.main.path, header, limits_, [&](const ImageHeader& frame) {
    const Layout layout = ReadLayout(frame, reading_);
    plan.decode = Larger(plan.decode, FrameFootprint(frame, reading_));
    plan.work = Larger(plan.work, WriteFootprint(layout, writing));
    const int64_t height = std::max(plan.input.height, layout.height);
    if (layout.row_bytes() > plan.input.row_bytes()) plan.input = layout;
    plan.input.height = height;
  });
  const auto frames = static_cast<size_t>((header.frames - 1) / options_.every + 1);
  plan.work.untracked += frames * kBytesPerFrame;
  return plan;
}

Result<bool> FramesOperation::Recall(const Item& item, Outcome& outcome) {
  const std::optional<std::string> times = catalog_.FindFact(item.main.content, kTimesFact);
  if (!times) return false;
  std::optional<std::vector<std::string>> finished = TRY(FindFinishedSet(folder_, item, Prefixes(item.file)));
  if (!finished) return false;
  auto payload = std::make_unique<FramesPayload>();
  payload->times = UnpackTimes(*times);
  outcome.state = Outcome::State::kSkipped;
  outcome.outputs = *std::move(finished);
  outcome.payload = std::move(payload);
  return true;
}

Result<bool> FramesOperation::Rehearse(const Item& item) {
  const SetPrefixes prefixes = Prefixes(item.file);
  TRY(MayBeginSet(folder_, item, prefixes));
  TRY(folder_.MayMakeFolder(prefixes.front()));
  for (int number = 0; number < item.main.header.frames; number += options_.every) {
    TRY(folder_.MayWrite(item, FrameName(prefixes.front(), number, extension())));
  }
  return true;
}

Result<std::unique_ptr<ItemTask>> FramesOperation::Start(const Item& item, const ItemPlan&) {
  return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item));
}

void FramesOperation::Collect(Outcome& outcome) {
  if (mode_ != RunMode::kRun && outcome.state == Outcome::State::kDone) {
    preview_.Add(outcome);
    return;
  }
  if (outcome.payload == nullptr) return;  // it failed, and gave nothing
  const auto& times = static_cast<const FramesPayload&>(*outcome.payload).times;
  const std::string prefix = Prefixes(outcome.file).front();
  if (manifest_ != nullptr) manifest_->Replace(outcome.file.path, prefix);
  for (const std::string& name : outcome.outputs) {
    const std::optional<int64_t> number = FrameOf(name, prefix);
    if (!number) continue;
    FrameRecord record{name, outcome.file.path, *number, std::nullopt};
    if (static_cast<size_t>(*number) < times.size()) record.time = times[static_cast<size_t>(*number)];
    ++frames_;
    if (manifest_ != nullptr) manifest_->Add(record.Line());
    if (!wants_files_) continue;
    ListedFile file;
    file.index = written_.size();
    file.path = folder_.PathOf(name);
    file.relative = name;
    written_.Add(file);
  }
}

}  // namespace imgmill
