// Frames are written row by row as they come, under temporary names, and published together.
#include "frames_operation.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/lenient_mark.h"
#include "base/try.h"
#include "imgmill/dataset/output_names.h"
#include "imgmill/image/writer.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;
/// A frame's name, its temporary's, its row in the catalog, twice, and its times.
constexpr size_t kBytesPerFrame = 1024;
/// Of a video, whose frames are published as they come: name, row and times.
constexpr size_t kBytesPerPublished = 512;
constexpr size_t kBytesPerTime = sizeof(FrameTime);
/// Frames of a video that are published together.
constexpr int kPublishedAtOnce = 16;
constexpr char kTimesFact[] = "frame-times/2";

std::string FingerprintOf(const FramesOptions& options, bool lenient) {
  // What was made of the readable part of a broken file is no result where such files are refused.
  std::string text = "frames/1 every " + std::to_string(options.every);
  if (options.every_seconds) text += " seconds " + nlohmann::json(*options.every_seconds).dump();
  if (options.scene_change) text += " scene/1 " + nlohmann::json(*options.scene_change).dump();
  if (options.novelty)
    text += " novelty " + std::string(ImageDescriptor::kName) + " " + nlohmann::json(*options.novelty).dump();
  if (options.chroma_siting != "centre") text += " sited";
  return text + " " + options.file.Text() + " " + ImageLibraryVersions() + std::string(LenientMark(lenient));
}

OperationTraits TraitsOf(const FramesOptions& options, bool lenient) {
  OperationTraits traits;
  traits.name = "frames";
  traits.fingerprint = FingerprintOf(options, lenient);
  traits.reads_videos = true;
  traits.takes_broken = lenient;
  return traits;
}

ReadOptions ReadingOf(const SharedOptions& shared, const FramesOptions& options) {
  ReadOptions reading;
  reading.keep_profile = true;  // the writer attaches it again
  reading.allow_truncated = shared.allow_truncated;
  reading.video_as_sited = options.chroma_siting == "file";
  return reading;
}

struct FramesPayload final : Payload {
  FrameTimes times;
  EarlierChoice earlier;
};

}  // namespace

class FramesOperation::Task final : public ItemTask {
 public:
  Task(FramesOperation& operation, const Item& item)
      : operation_(operation),
        item_(item),
        video_(item.main.header.format == ImageFormat::kVideo),
        digits_(operation.Digits(item)),
        prefixes_(operation.Prefixes(item.file)),
        choice_(operation.options_, operation.reading_.allow_truncated),
        set_(operation.folder_, item, prefixes_) {}

  /// A video is long: what is made of it stays.
  Status Begin() { return video_ ? set_.Resume() : Status(); }
  bool publishes_as_it_goes() const override { return video_; }

  Result<Wanted> Wants(const Frame& frame, FrameSource& frames) override {
    times_.Add(frame);
    const bool taken = TRY(choice_.Takes(frame, frames));
    if (!taken) return Wanted::kNo;
    return set_.Has(NameOf(frame)) ? Wanted::kMade : Wanted::kRows;
  }

  Status BeginFrame(const Frame& frame, const Layout& layout) override {
    WriteOptions writing = operation_.options_.file.Writing();
    writing.metadata_directory = frame.header.directory;
    TRY(FitsFormat(layout, writing.format));
    name_ = NameOf(frame);
    const std::string temporary = TRY(set_.Begin(name_));
    std::unique_ptr<RowWriter> writer =
        TRY(CreateRows(temporary, layout, writing, video_ ? std::string() : item_.file.path));
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
    const Status ended = set_.End(std::exchange(name_, {}));
    if (!ended || !video_ || ++unpublished_ < kPublishedAtOnce) return ended;
    unpublished_ = 0;
    return set_.PublishSoFar();
  }

  void LoseFrame() override {
    writer_.reset();
    if (!name_.empty()) set_.Remove(name_);
    name_.clear();
  }

  Status Finish(Outcome& outcome) override {
    const Status ended = End(outcome.error ? 1 : 0);
    // What a video has given so far is there, whatever ended it, and is told.
    if (!ended && (!video_ || set_.published().empty())) return ended;
    if (!ended && !outcome.error) outcome.error = ended.error();
    auto payload = std::make_unique<FramesPayload>();
    payload->times = std::move(times_);
    outcome.outputs = video_ ? set_.published() : set_.names();
    if (!outcome.error) {  // else the rest may come back, and what was made of it is all that there is
      EarlierChoice earlier = TRY(operation_.FindEarlier(item_, outcome.outputs));
      payload->earlier = std::move(earlier);
    }
    outcome.payload = std::move(payload);
    outcome.notes.insert(outcome.notes.end(), notes_.begin(), notes_.end());
    return {};
  }

 private:
  Status End(size_t missing) {
    // Before the set: a rerun that finds this whole needs the times.
    TRY(operation_.catalog_.PutFact(item_.main.content, kTimesFact, times_.Pack()));
    return set_.Commit(missing);
  }

  std::string NameOf(const Frame& frame) const {
    return FrameName(prefixes_.front(), frame.number, digits_, operation_.extension());
  }

  FramesOperation& operation_;
  const Item& item_;
  const bool video_;
  const int digits_;
  const SetPrefixes prefixes_;
  FrameChoice choice_;
  OutputSet set_;
  int unpublished_ = 0;
  std::string name_;  ///< of the frame that is being written
  std::unique_ptr<RowWriter> writer_;
  FrameTimes times_;
  std::vector<std::string> notes_;
};

FramesOperation::FramesOperation(const FramesOptions& options, const CommandServices& services,
                                 OutputManifest* manifest, int video_threads)
    : Operation(TraitsOf(options, services.shared->allow_truncated)),
      options_(options),
      mode_(services.shared->mode),
      reading_(ReadingOf(*services.shared, options)),
      video_threads_(video_threads),
      memory_(*services.memory),
      limits_(services.shared->limits),
      wants_files_(services.in_pipeline),
      catalog_(*services.catalog),
      folder_(options.output, traits().fingerprint, catalog_, services.shared->force),
      manifest_(manifest),
      earlier_(services, folder_, options.prune),
      stale_({[](std::string_view fingerprint) { return fingerprint.starts_with("frames/"); }, 1, "sources",
              "frames"},
             services) {}

Result<EarlierChoice> FramesOperation::FindEarlier(const Item& item, const std::vector<std::string>& own) {
  return FindEarlierChoice(folder_, item, Prefixes(item.file), own, earlier_.prunes_now());
}

std::vector<std::string> FramesOperation::NamesOf(const Item& item) const {
  const std::string prefix = Prefixes(item.file).front();
  const int64_t known = item.main.header.frames;
  const bool video = item.main.header.format == ImageFormat::kVideo;
  std::vector<std::string> names;
  for (int64_t number = 0; number < (video ? 2 * known : known); number += options_.every)
    names.push_back(FrameName(prefix, number, Digits(item), extension()));
  std::sort(names.begin(), names.end());
  return names;
}

SetPrefixes FramesOperation::Prefixes(const ListedFile& file) const {
  return {OutputStemFor(file) + "_"};
}

Result<ItemPlan> FramesOperation::Plan(const Item& item) const {
  if (video_threads_ > 1 && item.main.header.video_thread > 0) {
    Result<ItemPlan> plan = PlanWith(item, video_threads_);
    if (!plan || memory_.Fits(plan->total())) return plan;
  }
  return PlanWith(item, 1);
}

Result<ItemPlan> FramesOperation::PlanWith(const Item& item, int video_threads) const {
  const ImageHeader& header = item.main.header;
  const WriteOptions writing = options_.file.Writing();
  ReadOptions reading = reading_;
  reading.video_threads = video_threads;
  ItemPlan plan(header, reading, {kRowsPerRegion, 0});
  TRY(FitsFormat(plan.input, writing.format));
  plan.own_reader = true;
  plan.every_frame = limits_;
  // One frame at a time: what the largest takes, be it wide or high.
  const bool video = header.format == ImageFormat::kVideo;
  const auto all = static_cast<size_t>(header.frames);
  const size_t frames = (all - 1) / static_cast<size_t>(options_.every) + 1;
  Footprint choice;
  ForEachFrameHeader(item.main.path, header, limits_, [&](const ImageHeader& frame) {
    const Layout layout = ReadLayout(frame, reading);
    plan.decode = Larger(plan.decode, FrameFootprint(frame, reading));
    plan.work = Larger(plan.work, WriteFootprint(layout, writing));
    const int64_t height = std::max(plan.input.height, layout.height);
    if (layout.row_bytes() > plan.input.row_bytes()) plan.input = layout;
    plan.input.height = height;
    choice = Larger(choice, FrameChoice::Cost(options_, frame, frames));
  });
  plan.work.untracked += frames * (video ? kBytesPerPublished : kBytesPerFrame) + all * kBytesPerTime;
  plan.work = plan.work + choice;
  return plan;
}

Result<bool> FramesOperation::Recall(const Item& item, Outcome& outcome) {
  const std::optional<std::string> times = catalog_.FindFact(item.main.content, kTimesFact);
  if (!times) return false;
  std::optional<std::vector<std::string>> finished = TRY(FindFinishedSet(folder_, item, Prefixes(item.file)));
  if (!finished) return false;
  auto payload = std::make_unique<FramesPayload>();
  payload->times = FrameTimes::Unpack(*times);
  EarlierChoice earlier = TRY(FindEarlier(item, *finished));
  payload->earlier = std::move(earlier);
  outcome.state = Outcome::State::kSkipped;
  outcome.outputs = *std::move(finished);
  outcome.payload = std::move(payload);
  return true;
}

Result<Prospect> FramesOperation::Rehearse(const Item& item) {
  const SetPrefixes prefixes = Prefixes(item.file);
  TRY(MayBeginSet(folder_, item, prefixes));
  TRY(folder_.MayMakeFolder(prefixes.front()));
  // Which frames are taken by more than their numbers, nobody knows yet; the first is.
  const bool by_number = !options_.every_seconds && !options_.scene_change && !options_.novelty;
  const int frames = by_number ? item.main.header.frames : 1;
  for (int number = 0; number < frames; number += options_.every) {
    TRY(folder_.MayWrite(item, FrameName(prefixes.front(), number, Digits(item), extension())));
  }
  const bool video = item.main.header.format == ImageFormat::kVideo;
  TRY(earlier_.Foresee(folder_, item, prefixes, NamesOf(item), by_number && !video));
  // A video's header tells only about how many there are.
  if (video) return Prospect{std::nullopt};
  const auto taken = (static_cast<uint64_t>(item.main.header.frames) + options_.every - 1) / options_.every;
  return Prospect{taken, !by_number};
}

int FramesOperation::Digits(const Item& item) {
  return FrameDigits(item.main.header.format == ImageFormat::kVideo ? item.main.header.frames : 1);
}

Result<std::unique_ptr<ItemTask>> FramesOperation::Start(const Item& item, const ItemPlan&) {
  auto task = std::make_unique<Task>(*this, item);
  TRY(task->Begin());
  return std::unique_ptr<ItemTask>(std::move(task));
}

void FramesOperation::Collect(Outcome& outcome) {
  if (outcome.state != Outcome::State::kFailed) stale_.Add(outcome.file.path, Prefixes(outcome.file));
  if (mode_ != RunMode::kRun && outcome.state == Outcome::State::kDone) {
    preview_.Add(outcome);
    return;
  }
  if (outcome.payload == nullptr) return;  // it failed, and gave nothing
  const auto& [times, earlier] = static_cast<const FramesPayload&>(*outcome.payload);
  earlier_.Add(earlier);
  const std::string prefix = Prefixes(outcome.file).front();
  if (manifest_ != nullptr) manifest_->Replace(outcome.file.path, prefix);
  for (const std::string& name : outcome.outputs) {
    const std::optional<int64_t> number = FrameOf(name, prefix);
    if (!number) continue;
    const FrameRecord record{name, outcome.file.path, *number, times.Of(*number)};
    ++frames_;
    if (manifest_ != nullptr) manifest_->Add(record.Line());
    if (!wants_files_) continue;
    ListedFile file;
    file.index = written_.size();
    file.path = folder_.PlaceOf(name);
    file.relative = name;
    written_.Add(file);
  }
}

}  // namespace imgmill
