// Hashes images row by row and keeps what it found in the catalog, under names that carry the version.
#include "dedup_operation.h"

#include "base/lenient_mark.h"
#include "base/try.h"
#include "commands/pack/packed_fact.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/memory/pool_array.h"
#include "signals/luma.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;

struct DedupPayload final : Payload {
  DedupEntry entry;
};

/// What the catalog keeps of one image, in one look-up: of hashes of 64 bits, and of longer ones.
struct HashedImage {
  uint64_t hash = 0;
  ImageNotes notes;
};
struct WideHashedImage {
  Hash256 hash{};
  ImageNotes notes;
  uint64_t quality = 0;
};

std::string PackedImage(HashKind kind, const DedupEntry& entry) {
  if (HashBits(kind) == 64) return Packed(HashedImage{entry.hash[0], entry.notes});
  return Packed(WideHashedImage{entry.hash, entry.notes, entry.quality});
}

bool UnpackImage(HashKind kind, const std::optional<std::string>& fact, DedupEntry& entry) {
  if (HashBits(kind) == 64) {
    HashedImage image;
    if (!Unpack(fact, image)) return false;
    entry.hash = {image.hash, 0, 0, 0};
    entry.notes = image.notes;
    return true;
  }
  WideHashedImage image;
  if (!Unpack(fact, image)) return false;
  entry.hash = image.hash;
  entry.notes = image.notes;
  entry.quality = static_cast<uint16_t>(image.quality);
  return true;
}

/// Hashes of 64 bits in one word each.
using ShortPoses = std::array<uint64_t, kPoses>;

std::string PackedPoses(HashKind kind, const PoseHashes& poses) {
  if (HashBits(kind) == 256) return Packed(poses);
  ShortPoses words;
  for (size_t pose = 0; pose < words.size(); ++pose) words[pose] = poses[pose][0];
  return Packed(words);
}

bool UnpackPoses(HashKind kind, const std::optional<std::string>& fact, std::vector<Hash256>& to) {
  if (HashBits(kind) == 256) {
    PoseHashes poses;
    if (!Unpack(fact, poses)) return false;
    to.assign(poses.begin(), poses.end());
    return true;
  }
  ShortPoses words;
  if (!Unpack(fact, words)) return false;
  to.clear();
  for (const uint64_t word : words) to.push_back({word, 0, 0, 0});
  return true;
}

/// The scaled hashes are of luma, wherever it comes from.
Layout HashedLayout(Layout input, bool scaled) {
  if (scaled) input.bands = 1;
  return input;
}

/// Luma of RGB rows, beside them.
class LumaRows {
 public:
  explicit LumaRows(const Layout& input)
      : luma_(static_cast<size_t>(std::min(kRowsPerRegion, input.height) * input.width)) {}
  ImageView Of(const ImageView& rgb) {
    const auto width = static_cast<size_t>(rgb.layout.width);
    for (int64_t y = 0; y < rgb.layout.height; ++y) {
      const uint8_t* from = rgb.row(y);
      uint8_t* to = luma_.data() + static_cast<size_t>(y) * width;
      for (size_t x = 0; x < width; ++x, from += 3) to[x] = Luma(from[0], from[1], from[2]);
    }
    Layout layout = rgb.layout;
    layout.bands = 1;
    return {luma_.data(), layout, width};
  }
  static size_t PooledBytes(const Layout& input) {
    return static_cast<size_t>(std::min(kRowsPerRegion, input.height) * input.width);
  }

 private:
  PoolArray<uint8_t> luma_;
};

/// Of the fact that is kept of each image; "exact" where there is none.
std::string HashFact(const DedupLook& look, bool allow_truncated) {
  if (!look.kind) return "exact";
  // A hash of the readable part of a broken file is another fact than one of the whole.
  return VersionedName(*look.kind, look.scaled_decode) + std::string(LenientMark(allow_truncated)) +
         " with notes/3";
}

std::string PosesFact(const DedupLook& look, bool allow_truncated) {
  return HashFact(look, allow_truncated) + " poses/1";
}

/// Of the blockiness of what was read for the hash.
std::string BlockinessFact(const DedupLook& look, bool allow_truncated) {
  return HashFact(look, allow_truncated) + " blockiness/2";
}

}  // namespace

class DedupOperation::Task final : public ItemTask {
 public:
  Task(DedupOperation& operation, const Item& item, const ItemPlan& plan)
      : operation_(operation), item_(item) {
    if (!operation.look_.kind) return;
    hasher_.emplace(*operation.look_.kind, HashedLayout(plan.input, operation.look_.scaled_decode),
                    operation.look_.poses);
    meter_.emplace(item.main, plan.reading, plan.input);
    if (operation.look_.scaled_decode && plan.input.bands == 3) luma_.emplace(plan.input);
    if (operation.look_.blockiness) blocks_.emplace(plan.input, SignalSet{Signal::kBlockiness});
  }

  Status Map(const Region& region) override {
    hasher_->Add(luma_ ? luma_->Of(region.view) : region.view);
    meter_->Add(region.view);
    if (blocks_) blocks_->Add(region.view);
    return {};
  }

  Status Finish(Outcome& outcome) override {
    auto payload = std::make_unique<DedupPayload>();
    DedupEntry& entry = payload->entry;
    operation_.Describe(item_.main, entry);
    Catalog& catalog = operation_.catalog_;
    if (hasher_) {
      const HashKind kind = *operation_.look_.kind;
      const ImageNotes notes = TRY(meter_->Finish());
      entry.notes = notes;
      if (operation_.look_.poses) {
        const PoseHashes poses = hasher_->FinishPoses();
        entry.hash = poses[0];
        entry.poses.assign(poses.begin(), poses.end());
        const std::string fact = PosesFact(operation_.look_, operation_.allow_truncated_);
        TRY(catalog.PutFact(item_.main.content, fact, PackedPoses(kind, poses)));
      } else {
        entry.hash = hasher_->Finish();
      }
      entry.quality = static_cast<uint16_t>(hasher_->quality());
      if (blocks_) {
        entry.blockiness = blocks_->Finish()[Signal::kBlockiness].value_or(0);
        const std::string fact = BlockinessFact(operation_.look_, operation_.allow_truncated_);
        TRY(catalog.PutFact(item_.main.content, fact, Packed(entry.blockiness)));
      }
      TRY(catalog.PutFact(item_.main.content, operation_.hash_fact_, PackedImage(kind, entry),
                          item_.main.absolute));
    }
    outcome.payload = std::move(payload);
    return {};
  }

 private:
  DedupOperation& operation_;
  const Item& item_;
  std::optional<PerceptualHasher> hasher_;
  std::optional<ImageMeter> meter_;
  std::optional<SignalMeter> blocks_;
  std::optional<LumaRows> luma_;  // where luma is hashed and colours are read
};

DedupOperation::DedupOperation(DedupLook look, const CommandServices& services)
    : Operation({.name = "dedup",
                 .fingerprint = "dedup " + HashFact(look, services.shared->allow_truncated),
                 .judges_after_reduce = true,
                 .leaves_only_facts = true,
                 .takes_broken = services.shared->allow_truncated}),
      look_(std::move(look)),
      allow_truncated_(services.shared->allow_truncated),
      catalog_(*services.catalog),
      hash_fact_(HashFact(look_, allow_truncated_)) {}

void DedupOperation::Describe(const SourceFile& file, DedupEntry& entry) const {
  entry.content = file.content;
  entry.stamp = file.stamp;
  entry.bytes = file.stamp.size;
  entry.width = file.upright_width;
  entry.height = file.upright_height;
  entry.is_link = file.is_link;
  look_.places.Mark(file.path, file.absolute, entry);
}

ReadOptions DedupOperation::Reading(const ImageHeader& header) const {
  ReadOptions reading;
  reading.to_8bit = true;
  reading.alpha = ReadOptions::Alpha::kFlattenWhite;  // what lies under it is seen by nobody
  // The full hash resizes RGB before it takes luma, and takes the numbers as they are stored, as the peer
  // does, whose bits we promise.
  reading.keep_profile = !look_.scaled_decode;
  // Only a JPEG is cheaper in grey; of the others, equal pixels can then be told.
  const bool grey = look_.scaled_decode && header.format == ImageFormat::kJpeg;
  reading.bands = grey ? ReadOptions::Bands::kGrey : ReadOptions::Bands::kRgb;
  reading.shrink_to_side = look_.scaled_decode ? ScaledHashSide(*look_.kind) : 0;
  reading.allow_truncated = allow_truncated_;
  return reading;
}

Result<ItemPlan> DedupOperation::Plan(const Item& item) const {
  if (!look_.kind) return ItemPlan::WithoutPixels({64 * kKiB, 0});
  const ImageHeader& header = item.main.header;
  ItemPlan plan(header, Reading(header), {kRowsPerRegion, 0});
  const Layout& input = plan.input;
  plan.work = {
      PerceptualHasher::PooledBytes(*look_.kind, HashedLayout(input, look_.scaled_decode), look_.poses) +
          ImageMeter::PooledBytes(input),
      64 * kKiB};
  if (look_.scaled_decode && input.bands == 3) plan.work.pooled += LumaRows::PooledBytes(input);
  if (look_.blockiness) plan.work.pooled += SignalMeter::PooledBytes(input);
  return plan;
}

Result<bool> DedupOperation::Recall(const Item& item, Outcome& outcome) {
  auto payload = std::make_unique<DedupPayload>();
  DedupEntry& entry = payload->entry;
  if (look_.kind && !UnpackImage(*look_.kind, catalog_.FindFact(item.main.content, hash_fact_), entry))
    return false;
  if (look_.blockiness) {
    const std::string fact = BlockinessFact(look_, allow_truncated_);
    if (!Unpack(catalog_.FindFact(item.main.content, fact), entry.blockiness)) return false;
  }
  if (look_.poses) {
    const std::string fact = PosesFact(look_, allow_truncated_);
    if (!UnpackPoses(*look_.kind, catalog_.FindFact(item.main.content, fact), entry.poses)) return false;
  }
  Describe(item.main, entry);
  outcome.payload = std::move(payload);
  outcome.state = Outcome::State::kDone;
  return true;
}

Result<std::unique_ptr<ItemTask>> DedupOperation::Start(const Item& item, const ItemPlan& plan) {
  return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item, plan));
}

void DedupOperation::Collect(Outcome& outcome) {
  if (outcome.state != Outcome::State::kDone) return;
  DedupEntry& entry = static_cast<DedupPayload&>(*outcome.payload).entry;
  entry.file = outcome.file;
  entries_.Add(entry);
}

}  // namespace imgmill
