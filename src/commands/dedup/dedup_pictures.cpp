// Pictures of the candidates by an engine run of their own, decoded at a fraction of their size where that is
// cheaper.
#include "dedup_pictures.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/lenient_mark.h"
#include "base/try.h"
#include "candidate_picture.h"
#include "commands/pack/packed_fact.h"
#include "dedup_poses.h"
#include "imgmill/base/byte_size.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;
/// Pairs that differ in more are not looked at more closely, unless they are to be duplicates all the same.
constexpr double kCloser = 0.25;

}  // namespace

class PictureLook::PictureOperation final : public Operation {
 public:
  PictureOperation(const std::string& fact, const CommandServices& services)
      : Operation({.name = "dedup", .fingerprint = "dedup " + fact, .leaves_only_facts = true}),
        fact_(fact),
        allow_truncated_(services.shared->allow_truncated),
        catalog_(*services.catalog) {}

  Result<ItemPlan> Plan(const Item& item) const override {
    const ImageHeader& header = item.main.header;
    const int64_t width = header.upright_width(), height = header.upright_height();
    const CandidateReader::Sides large =
        CandidateReader::LargeSides(static_cast<double>(width), static_cast<double>(height));
    ReadOptions reading;
    reading.to_8bit = true;
    reading.alpha = ReadOptions::Alpha::kFlattenWhite;
    reading.bands = ReadOptions::Bands::kRgb;
    reading.shrink_to_side = static_cast<int>(std::min(large.width, large.height));
    reading.allow_truncated = allow_truncated_;
    ItemPlan plan(header, reading, {kRowsPerRegion, 0});
    plan.work = {CandidateReader::PooledBytes(plan.input, width, height), CandidateReader::kHeapBytes};
    return plan;
  }

  Result<bool> Recall(const Item& item, Outcome& outcome) override {
    if (!CandidatePicture::In(catalog_.FindFact(item.main.content, fact_))) return false;
    outcome.state = Outcome::State::kDone;
    return true;
  }

  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override {
    return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item, plan));
  }

  void Collect(Outcome&) override {}

 private:
  class Task final : public ItemTask {
   public:
    Task(PictureOperation& operation, const Item& item, const ItemPlan& plan)
        : operation_(operation),
          item_(item),
          reader_(plan.input, item.main.header.upright_width(), item.main.header.upright_height()) {}

    Status Map(const Region& region) override {
      reader_.Add(region.view);
      return {};
    }

    Status Finish(Outcome&) override {
      return operation_.catalog_.PutFact(item_.main.content, operation_.fact_, reader_.Finish());
    }

   private:
    PictureOperation& operation_;
    const Item& item_;
    CandidateReader reader_;
  };

  const std::string& fact_;
  const bool allow_truncated_;
  Catalog& catalog_;
};

class PictureLook::Looking final : public CommandRun {
 public:
  Looking(const std::string& fact, const CommandServices& services)
      : CommandRun(services), operation_(fact, services) {}
  Operation& operation() override { return operation_; }
  Result<CommandResult> Reduce(CommandResult result) override { return result; }

 private:
  PictureOperation operation_;
};

PictureLook::PictureLook(const LookLimits& limits, const CommandServices& services)
    : limits_(limits),
      services_(services),
      fact_("picture/3" + std::string(LenientMark(services.shared->allow_truncated))) {}

PictureLook::~PictureLook() = default;

Status PictureLook::LookAt(Candidates candidates, CommandResult& result) {
  candidates_ = std::move(candidates);
  const CommandServices services = Quietly(services_);
  Looking looking(fact_, services);
  return Run(candidates_, looking, result);
}

/// Each holds some MiB: half of the memory is left to hashes and groups.
int PictureLook::Threads(int wanted) const {
  int threads = wanted;
  while (threads > 1 && !services_.memory->Fits(Held(threads) + Held(threads))) threads = (threads + 1) / 2;
  return threads;
}

Footprint PictureLook::Held(int threads) const {
  const auto each = static_cast<size_t>(threads);
  constexpr size_t kPicture = CandidatePicture::MostBytes();
  return {each * (PictureMatcher::PooledBytes() + kPicture), each * 4 * kPicture};
}

void PictureLook::Prepare(int threads) {
  threads_.clear();
  for (int i = 0; i < threads; ++i)
    threads_.push_back({PictureMatcher(), PoolArray<uint8_t>(CandidatePicture::MostBytes())});
}

/// How one lies on the other, and what they differ in; the closer look where it may count.
PictureLook::PairVerdict PictureLook::Compare(const CandidatePicture& kept, const CandidatePicture& other,
                                              PictureMatcher& matcher) const {
  const std::optional<PictureMatch> match = matcher.Match(kept.small, other.small);
  if (!match) return {};
  PairVerdict verdict = {{match->difference, match->left, match->top, match->right, match->bottom},
                         Laid::kLaid};
  if (match->difference > std::max(kCloser, limits_.difference)) return verdict;
  verdict.laid = Laid::kCompared;
  verdict.look.colours = matcher.ColourDifference(kept.colours, other.colours);
  verdict.look.changed = matcher.ChangedThings();
  if (kept.large.pixels != nullptr && other.large.pixels != nullptr)
    verdict.look.changed = std::max(verdict.look.changed, matcher.ChangedStrokes(kept.large, other.large));
  return verdict;
}

Result<LookVerdict> PictureLook::Look(int thread, uint32_t keeper, uint32_t other, int pose) {
  const std::optional<size_t> kept = candidates_.Find(keeper), compared = candidates_.Find(other);
  constexpr LookVerdict kSame = {LookVerdict::Kind::kAlike, {}};
  // All that is near them by hash has the same content.
  if (!kept || !compared) return kSame;
  const ContentDigest& of_kept = candidates_.content(*kept);
  const ContentDigest& of_compared = candidates_.content(*compared);
  if (of_kept == of_compared) return kSame;
  // What was found once need not be looked for again.
  PairVerdict verdict;
  const ContentDigest both[] = {of_kept, of_compared};
  const ContentDigest pair = DigestOfBytes(both, sizeof both);
  const std::string pair_fact = fact_ + " pair/2 pose " + std::to_string(pose);
  Catalog& catalog = *services_.catalog;
  const bool known = Unpack(catalog.FindFact(pair, pair_fact), verdict);
  if (!known || (verdict.laid == Laid::kLaid && verdict.look.difference <= limits_.difference)) {
    const std::optional<std::string> first = catalog.FindFact(of_kept, fact_);
    const std::optional<std::string> second = catalog.FindFact(of_compared, fact_);
    const std::optional<CandidatePicture> one = CandidatePicture::In(first);
    const std::optional<CandidatePicture> another = CandidatePicture::In(second);
    if (!one || !another) return LookVerdict();  // it could not be read again
    OfThread& own = threads_[static_cast<size_t>(thread)];
    verdict =
        Compare(*one, pose == 0 ? *another : another->Turned(PoseBack(pose), own.turned.span()), own.matcher);
    TRY(catalog.PutFact(pair, pair_fact, Packed(verdict)));
  }
  if (verdict.laid == Laid::kNot) return LookVerdict{LookVerdict::Kind::kNotLaid, {}};
  return LookVerdict{limits_.Allow(verdict.look) ? LookVerdict::Kind::kAlike : LookVerdict::Kind::kDiffers,
                     verdict.look};
}

void PictureLook::Describe(JsonObject& details) const {
  details["max_difference"] = limits_.difference;
  details["max_colour_difference"] = limits_.colours;
  details["max_changed"] = limits_.changed;
  details["looked_at_again"] = candidates_.size();
}

}  // namespace imgmill
