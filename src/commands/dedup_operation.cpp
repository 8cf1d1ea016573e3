// Hashes images row by row and keeps what it found in the catalog, under names that carry the version.
#include "dedup_operation.h"

#include "imgmill/base/byte_size.h"
#include "imgmill/signals/signal_set.h"
#include "packed_fact.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;

struct DedupPayload final : Payload {
  DedupEntry entry;
};

}  // namespace

class DedupOperation::Task final : public ItemTask {
 public:
  Task(DedupOperation& operation, const Item& item, const Layout& input)
      : operation_(operation), item_(item) {
    if (operation.kind_) {
      hasher_.emplace(*operation.kind_, input);
      sharpness_.emplace(input, SignalSet{Signal::kSharpness});
    }
  }

  Status Map(const Region& region) override {
    hasher_->Add(region.view);
    sharpness_->Add(region.view);
    return {};
  }

  Status Finish(Outcome& outcome) override {
    auto payload = std::make_unique<DedupPayload>();
    DedupEntry& entry = payload->entry;
    entry.content = item_.content;
    entry.stamp = item_.stamp;
    entry.bytes = item_.stamp.size;
    entry.width = item_.upright_width;
    entry.height = item_.upright_height;
    Catalog& catalog = operation_.catalog_;
    if (hasher_) {
      entry.hash = hasher_->Finish();
      entry.sharpness = sharpness_->Finish()[Signal::kSharpness].value_or(0);
      if (Status put = catalog.PutFact(item_.content, operation_.hash_fact_, Packed(entry.hash)); !put)
        return put;
      if (Status put = catalog.PutFact(item_.content, operation_.sharpness_fact_, Packed(entry.sharpness));
          !put) {
        return put;
      }
    }
    outcome.payload = std::move(payload);
    return {};
  }

 private:
  DedupOperation& operation_;
  const Item& item_;
  std::optional<PerceptualHasher> hasher_;
  std::optional<SignalMeter> sharpness_;
};

DedupOperation::DedupOperation(std::optional<HashKind> kind, bool scaled_decode, bool allow_truncated,
                               const CommandServices& services)
    : kind_(kind),
      scaled_(scaled_decode),
      allow_truncated_(allow_truncated),
      catalog_(*services.catalog),
      log_(services) {
  // A hash of the readable part of a broken file is another fact than one of the whole.
  const std::string suffix =
      std::string(scaled_ ? "-scaled" : "") + (allow_truncated_ ? "-lenient" : "") + "/1";
  hash_fact_ = kind ? std::string(ToString(*kind)) + suffix : "";
  sharpness_fact_ = "sharpness" + suffix;
}

ReadOptions DedupOperation::Reading(const ImageHeader&) const {
  ReadOptions reading;
  reading.to_8bit = true;
  reading.alpha = ReadOptions::Alpha::kDrop;  // as the peer does, whose bits we promise
  // The full hash resizes RGB before it takes luma, and takes the numbers as they are stored, again as the
  // peer does.
  reading.keep_profile = !scaled_;
  reading.bands = scaled_ ? ReadOptions::Bands::kGrey : ReadOptions::Bands::kRgb;
  reading.shrink_to_side = scaled_ ? kScaledHashSide : 0;
  reading.allow_truncated = allow_truncated_;
  return reading;
}

RegionPlan DedupOperation::Regions(const Layout&) const {
  return {kRowsPerRegion, 0};
}

Footprint DedupOperation::Cost(const ImageHeader& header) const {
  if (!kind_) return {64 * kKiB, 0};
  const ReadOptions reading = Reading(header);
  const Layout input = ReadLayout(header, reading);
  const size_t pooled = PerceptualHasher::PooledBytes(*kind_, input) + SignalMeter::PooledBytes(input);
  return ReadFootprint(header, reading) + Footprint{pooled, 64 * kKiB};
}

Result<bool> DedupOperation::Recall(const Item& item, Outcome& outcome) {
  auto payload = std::make_unique<DedupPayload>();
  DedupEntry& entry = payload->entry;
  if (kind_ && (!Unpack(catalog_.FindFact(item.content, hash_fact_), entry.hash) ||
                !Unpack(catalog_.FindFact(item.content, sharpness_fact_), entry.sharpness))) {
    return false;
  }
  entry.content = item.content;
  entry.stamp = item.stamp;
  entry.bytes = item.stamp.size;
  entry.width = item.upright_width;
  entry.height = item.upright_height;
  outcome.payload = std::move(payload);
  outcome.state = Outcome::State::kDone;
  return true;
}

Result<std::unique_ptr<ItemTask>> DedupOperation::Start(const Item& item, const Layout& input) {
  return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item, input));
}

void DedupOperation::Collect(Outcome& outcome) {
  log_.Record(outcome);
  if (outcome.state != Outcome::State::kDone) return;
  DedupEntry& entry = static_cast<DedupPayload&>(*outcome.payload).entry;
  entry.file = outcome.file;
  entries_.push_back(std::move(entry));
}

}  // namespace imgmill
