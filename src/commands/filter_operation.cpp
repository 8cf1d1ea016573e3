// Measures all pixel signals from one decode and keeps them in the catalog.
#include "filter_operation.h"

#include <algorithm>
#include <limits>

#include "base/try.h"
#include "imgmill/base/byte_size.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;
// The numbers are the records' and the reading's: each value in them has a version of its own.
constexpr char kHeaderFact[] = "header-signals/1";
constexpr char kPixelFact[] = "pixel-signals/1";
constexpr char kLenientPixelFact[] = "pixel-signals-lenient/1";
// Under the names above, images with alpha were once measured by the colours that lie hidden under it.
constexpr char kOnWhite[] = " on white";

SignalSet OfHeader() {
  SignalSet set;
  for (const SignalInfo& info : AllSignals()) {
    if (!info.from_pixels) set.Insert(info.signal);
  }
  return set;
}

double ValueOf(const SignalValues& values, Signal signal) {
  return values[signal].value_or(std::numeric_limits<double>::quiet_NaN());
}

bool AnyFromPixels(const std::vector<Signal>& signals) {
  for (const Signal signal : signals) {
    if (InfoOf(signal).from_pixels) return true;
  }
  return false;
}

}  // namespace

SignalFacts::SignalFacts(Catalog& catalog, bool lenient)
    : catalog_(catalog), pixel_fact_(lenient ? kLenientPixelFact : kPixelFact) {}

bool SignalFacts::Find(const ContentDigest& content, bool pixels, SignalValues& values) const {
  const std::optional<std::string> header = catalog_.FindFact(content, kHeaderFact);
  if (!header || !UnpackSignals(*header, OfHeader(), values)) return false;
  if (!pixels) return true;
  const std::optional<std::string> measured = catalog_.FindFact(content, PixelFact(values));
  return measured && UnpackSignals(*measured, SignalSet::OfPixels(), values);
}

Status SignalFacts::Put(const ContentDigest& content, bool pixels, const SignalValues& values) const {
  TRY(catalog_.PutFact(content, kHeaderFact, PackSignals(values, OfHeader())));
  if (!pixels) return {};
  return catalog_.PutFact(content, PixelFact(values), PackSignals(values, SignalSet::OfPixels()));
}

std::string SignalFacts::PixelFact(const SignalValues& header) const {
  return pixel_fact_ + (header[Signal::kHasAlpha] == 1.0 ? kOnWhite : "");
}

struct FilterOperation::FilterPayload final : Payload {
  SignalValues values;
  FileStamp stamp;
  ContentDigest content;
};

class FilterOperation::Task final : public ItemTask {
 public:
  Task(FilterOperation& operation, const Item& item, const ItemPlan& plan)
      : operation_(operation), item_(item) {
    if (operation.pixels_) meter_.emplace(plan.input, SignalSet::OfPixels());
  }

  Status Map(const Region& region) override {
    meter_->Add(region.view);
    return {};
  }

  Status Finish(Outcome& outcome) override {
    auto payload = std::make_unique<FilterPayload>();
    SignalValues& values = payload->values = HeaderSignals(item_.main.header);
    if (meter_) {
      const SignalValues measured = meter_->Finish();
      for (const SignalInfo& info : AllSignals()) {
        if (info.from_pixels) values[info.signal] = measured[info.signal];
      }
    }
    TRY(operation_.facts_.Put(item_.main.content, operation_.pixels_, values));
    payload->stamp = item_.main.stamp;
    payload->content = item_.main.content;
    outcome.payload = std::move(payload);
    return {};
  }

 private:
  FilterOperation& operation_;
  const Item& item_;
  std::optional<SignalMeter> meter_;
};

FilterOperation::FilterOperation(const std::vector<Signal>& wanted, bool all_signals,
                                 const CommandServices& services, std::vector<FilterRule> rules, bool acts)
    : wanted_(wanted),
      pixels_(all_signals || AnyFromPixels(wanted)),
      allow_truncated_(services.shared->allow_truncated),
      rules_(std::move(rules)),
      after_reduce_(acts || std::any_of(rules_.begin(), rules_.end(),
                                        [](const FilterRule& rule) { return rule.percentile; })),
      facts_(*services.catalog, allow_truncated_) {}

Result<ItemPlan> FilterOperation::Plan(const Item& item) const {
  if (!pixels_) return ItemPlan::WithoutPixels({0, 64 * kKiB});
  ReadOptions reading;
  reading.to_8bit = true;
  reading.alpha = ReadOptions::Alpha::kFlattenWhite;  // what lies under it is seen by nobody
  reading.allow_truncated = allow_truncated_;
  ItemPlan plan(item.main.header, reading, {kRowsPerRegion, 0});
  plan.work = {SignalMeter::PooledBytes(plan.input), 64 * kKiB};
  return plan;
}

Result<bool> FilterOperation::Recall(const Item& item, Outcome& outcome) {
  auto payload = std::make_unique<FilterPayload>();
  if (!facts_.Find(item.main.content, pixels_, payload->values)) return false;
  payload->stamp = item.main.stamp;
  payload->content = item.main.content;
  outcome.payload = std::move(payload);
  outcome.state = Outcome::State::kDone;
  return true;
}

Result<std::unique_ptr<ItemTask>> FilterOperation::Start(const Item& item, const ItemPlan& plan) {
  return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item, plan));
}

Verdict FilterOperation::Judge(const Outcome& outcome) const {
  const SignalValues& values = static_cast<const FilterPayload&>(*outcome.payload).values;
  for (const FilterRule& rule : rules_) {
    if (!rule.percentile && rule.Drops(ValueOf(values, rule.signal), rule.number)) return Verdict::kDrop;
  }
  return after_reduce_ ? Verdict::kAfterReduce : Verdict::kKeep;
}

void FilterOperation::Collect(Outcome& outcome) {
  if (outcome.state != Outcome::State::kDone) return;
  const auto& payload = static_cast<const FilterPayload&>(*outcome.payload);
  FilterEntry entry{outcome.file, payload.stamp, payload.content, {}};
  for (const Signal signal : wanted_) entry.values.push_back(ValueOf(payload.values, signal));
  entries_.Add(entry);
}

}  // namespace imgmill
