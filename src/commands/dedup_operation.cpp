// Hashes images row by row and keeps what it found in the catalog, under names that carry the version.
#include "dedup_operation.h"

#include <sys/stat.h>

#include "base/try.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/memory/pool_array.h"
#include "packed_fact.h"
#include "signals/luma.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;

struct DedupPayload final : Payload {
  DedupEntry entry;
};

/// What is known of the file itself.
void Describe(const SourceFile& file, DedupEntry& entry) {
  entry.content = file.content;
  entry.stamp = file.stamp;
  entry.bytes = file.stamp.size;
  entry.width = file.upright_width;
  entry.height = file.upright_height;
  entry.is_link = IsSymbolicLink(file.path);
}

/// What the catalog keeps of one image, in one look-up.
struct HashedImage {
  uint64_t hash = 0;
  ImageNotes notes;
};

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
std::string HashFact(std::optional<HashKind> kind, bool scaled_decode, bool allow_truncated) {
  if (!kind) return "exact";
  // A hash of the readable part of a broken file is another fact than one of the whole.
  return VersionedName(*kind, scaled_decode) + (allow_truncated ? " lenient" : "") + " with notes/2";
}

}  // namespace

class DedupOperation::Task final : public ItemTask {
 public:
  Task(DedupOperation& operation, const Item& item, const ItemPlan& plan)
      : operation_(operation), item_(item) {
    if (!operation.kind_) return;
    hasher_.emplace(*operation.kind_, HashedLayout(plan.input, operation.scaled_));
    meter_.emplace(item.main, plan.reading, plan.input);
    if (operation.scaled_ && plan.input.bands == 3) luma_.emplace(plan.input);
  }

  Status Map(const Region& region) override {
    hasher_->Add(luma_ ? luma_->Of(region.view) : region.view);
    meter_->Add(region.view);
    return {};
  }

  Status Finish(Outcome& outcome) override {
    auto payload = std::make_unique<DedupPayload>();
    DedupEntry& entry = payload->entry;
    Describe(item_.main, entry);
    Catalog& catalog = operation_.catalog_;
    if (hasher_) {
      const ImageNotes notes = TRY(meter_->Finish());
      const HashedImage image{hasher_->Finish(), notes};
      entry.hash = image.hash;
      entry.notes = image.notes;
      TRY(catalog.PutFact(item_.main.content, operation_.hash_fact_, Packed(image)));
    }
    outcome.payload = std::move(payload);
    return {};
  }

 private:
  DedupOperation& operation_;
  const Item& item_;
  std::optional<PerceptualHasher> hasher_;
  std::optional<ImageMeter> meter_;
  std::optional<LumaRows> luma_;  // where luma is hashed and colours are read
};

bool IsSymbolicLink(const std::string& path) {
  struct stat info = {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

DedupOperation::DedupOperation(std::optional<HashKind> kind, bool scaled_decode, bool allow_truncated,
                               const CommandServices& services)
    : Operation({.name = "dedup",
                 .fingerprint = "dedup " + HashFact(kind, scaled_decode, allow_truncated),
                 .judges_after_reduce = true,
                 .leaves_only_facts = true}),
      kind_(kind),
      scaled_(scaled_decode),
      allow_truncated_(allow_truncated),
      catalog_(*services.catalog),
      hash_fact_(HashFact(kind, scaled_decode, allow_truncated)) {}

ReadOptions DedupOperation::Reading(const ImageHeader& header) const {
  ReadOptions reading;
  reading.to_8bit = true;
  reading.alpha = ReadOptions::Alpha::kFlattenWhite;  // what lies under it is seen by nobody
  // The full hash resizes RGB before it takes luma, and takes the numbers as they are stored, as the peer
  // does, whose bits we promise.
  reading.keep_profile = !scaled_;
  // Only a JPEG is cheaper in grey; of the others, equal pixels can then be told.
  const bool grey = scaled_ && header.format == ImageFormat::kJpeg;
  reading.bands = grey ? ReadOptions::Bands::kGrey : ReadOptions::Bands::kRgb;
  reading.shrink_to_side = scaled_ ? kScaledHashSide : 0;
  reading.allow_truncated = allow_truncated_;
  return reading;
}

Result<ItemPlan> DedupOperation::Plan(const Item& item) const {
  if (!kind_) return ItemPlan::WithoutPixels({64 * kKiB, 0});
  const ImageHeader& header = item.main.header;
  ItemPlan plan(header, Reading(header), {kRowsPerRegion, 0});
  const Layout& input = plan.input;
  plan.work = {
      PerceptualHasher::PooledBytes(*kind_, HashedLayout(input, scaled_)) + ImageMeter::PooledBytes(input),
      64 * kKiB};
  if (scaled_ && input.bands == 3) plan.work.pooled += LumaRows::PooledBytes(input);
  return plan;
}

Result<bool> DedupOperation::Recall(const Item& item, Outcome& outcome) {
  auto payload = std::make_unique<DedupPayload>();
  DedupEntry& entry = payload->entry;
  HashedImage image;
  if (kind_ && !Unpack(catalog_.FindFact(item.main.content, hash_fact_), image)) return false;
  entry.hash = image.hash;
  entry.notes = image.notes;
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
