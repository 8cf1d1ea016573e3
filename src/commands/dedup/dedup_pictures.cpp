// Pictures of the candidates by an engine run of their own, decoded at a fraction of their size where that is
// cheaper.
#include "dedup_pictures.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "commands/pack/packed_fact.h"
#include "dedup_poses.h"
#include "imgmill/base/byte_size.h"
#include "signals/small_resize.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;
/// Two bytes a side, then the pixels.
constexpr size_t kSidesBytes = 2 * sizeof(uint16_t);

struct Sides {
  int64_t width = 0, height = 0;
};

/// Of the small picture of an image.
Sides SmallSides(const ImageHeader& header) {
  const auto width = static_cast<double>(header.upright_width());
  const auto height = static_cast<double>(header.upright_height());
  // A smaller image is read at two thirds of its size, so that an encoder's traces are no difference.
  constexpr double kLongEnough = 64, kPart = 2.0 / 3;
  const double longer = std::max(width, height);
  const double scale =
      std::min(1.0, std::clamp(longer * kPart, kLongEnough, double{SmallPicture::kLongSide}) / longer);
  const auto side = [&](double length) {
    return std::max<int64_t>(SmallPicture::kLeastSide, std::llround(length * scale));
  };
  return {side(width), side(height)};
}

std::optional<SmallPicture> PictureIn(const std::optional<std::string>& fact) {
  if (!fact || fact->size() < kSidesBytes) return std::nullopt;
  uint16_t sides[2];
  std::memcpy(sides, fact->data(), sizeof sides);
  if (fact->size() != kSidesBytes + size_t{sides[0]} * sides[1]) return std::nullopt;
  const auto fits = [](int side) {
    return side >= SmallPicture::kLeastSide && side <= SmallPicture::kLongSide;
  };
  if (!fits(sides[0]) || !fits(sides[1])) return std::nullopt;
  return SmallPicture{sides[0], sides[1], reinterpret_cast<const uint8_t*>(fact->data()) + kSidesBytes};
}

/// The picture in that pose (PixelOfPose).
SmallPicture Turned(const SmallPicture& picture, int pose, std::span<uint8_t> to) {
  const bool swaps = (pose & 4) != 0;
  const SmallPicture turned = {swaps ? picture.height : picture.width, swaps ? picture.width : picture.height,
                               to.data()};
  size_t at = 0;
  for (int y = 0; y < turned.height; ++y) {
    for (int x = 0; x < turned.width; ++x) {
      int from_x = swaps ? y : x, from_y = swaps ? x : y;
      if ((pose & 1) != 0) from_x = picture.width - 1 - from_x;
      if ((pose & 2) != 0) from_y = picture.height - 1 - from_y;
      to[at++] = picture.pixels[from_y * picture.width + from_x];
    }
  }
  return turned;
}

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
    const Sides small = SmallSides(header);
    ReadOptions reading;
    reading.to_8bit = true;
    reading.alpha = ReadOptions::Alpha::kFlattenWhite;
    reading.bands = ReadOptions::Bands::kGrey;
    reading.shrink_to_side = static_cast<int>(std::min(small.width, small.height));
    reading.allow_truncated = allow_truncated_;
    ItemPlan plan(header, reading, {kRowsPerRegion, 0});
    plan.work = {SmallResize::PooledBytes(plan.input, small.width, small.height), 128 * kKiB};
    return plan;
  }

  Result<bool> Recall(const Item& item, Outcome& outcome) override {
    if (!PictureIn(catalog_.FindFact(item.main.content, fact_))) return false;
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
          small_(SmallSides(item.main.header)),
          resize_(plan.input, small_.width, small_.height) {}

    Status Map(const Region& region) override {
      resize_.Add(region.view);
      return {};
    }

    Status Finish(Outcome&) override {
      const uint16_t sides[] = {static_cast<uint16_t>(small_.width), static_cast<uint16_t>(small_.height)};
      std::string picture(reinterpret_cast<const char*>(sides), sizeof sides);
      picture.append(reinterpret_cast<const char*>(resize_.Finish()),
                     static_cast<size_t>(small_.width * small_.height));
      return operation_.catalog_.PutFact(item_.main.content, operation_.fact_, picture);
    }

   private:
    PictureOperation& operation_;
    const Item& item_;
    const Sides small_;
    SmallResize resize_;
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

PictureLook::PictureLook(double most, const CommandServices& services)
    : most_(most),
      services_(services),
      fact_(services.shared->allow_truncated ? "picture/2 lenient" : "picture/2") {}

PictureLook::~PictureLook() = default;

Status PictureLook::LookAt(Candidates candidates, CommandResult& result) {
  candidates_ = std::move(candidates);
  const CommandServices services = Quietly(services_);
  Looking looking(fact_, services);
  return Run(candidates_, looking, result);
}

Footprint PictureLook::Held(int threads) const {
  constexpr size_t kPicture = size_t{SmallPicture::kLongSide} * SmallPicture::kLongSide;
  const auto each = static_cast<size_t>(threads);
  return {each * (PictureMatcher::PooledBytes() + kPicture), each * 4 * kPicture};
}

void PictureLook::Prepare(int threads) {
  threads_.clear();
  for (int i = 0; i < threads; ++i)
    threads_.push_back(
        {PictureMatcher(), PoolArray<uint8_t>(size_t{SmallPicture::kLongSide} * SmallPicture::kLongSide)});
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
  struct PairVerdict {
    PictureMatch match;
    uint64_t matches = 0;  // 1 where there is one
  } verdict = {};
  const ContentDigest both[] = {of_kept, of_compared};
  const ContentDigest pair = DigestOfBytes(both, sizeof both);
  const std::string pair_fact = fact_ + " pair/1 pose " + std::to_string(pose);
  Catalog& catalog = *services_.catalog;
  if (!Unpack(catalog.FindFact(pair, pair_fact), verdict)) {
    const std::optional<std::string> first = catalog.FindFact(of_kept, fact_);
    const std::optional<std::string> second = catalog.FindFact(of_compared, fact_);
    const std::optional<SmallPicture> one = PictureIn(first), another = PictureIn(second);
    if (!one || !another) return LookVerdict();  // it could not be read again
    OfThread& own = threads_[static_cast<size_t>(thread)];
    const SmallPicture turned = pose == 0 ? *another : Turned(*another, PoseBack(pose), own.turned.span());
    const std::optional<PictureMatch> match = own.matcher.Match(*one, turned);
    verdict = {match.value_or(PictureMatch()), match ? uint64_t{1} : 0};
    TRY(catalog.PutFact(pair, pair_fact, Packed(verdict)));
  }
  const PictureMatch& match = verdict.match;
  if (verdict.matches == 0) return LookVerdict{LookVerdict::Kind::kNotLaid, {}};
  return LookVerdict{match.difference > most_ ? LookVerdict::Kind::kDiffers : LookVerdict::Kind::kAlike,
                     {match.difference, match.left, match.top, match.right, match.bottom}};
}

void PictureLook::Describe(JsonObject& details) const {
  details["max_difference"] = most_;
  details["looked_at_again"] = candidates_.size();
}

}  // namespace imgmill
