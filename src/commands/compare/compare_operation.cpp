// What comparing needs to know of each pair, and what becomes of its figures.
#include "compare_operation.h"

#include <algorithm>

#include "base/lenient_mark.h"
#include "base/try.h"
#include "commands/pack/packed_fact.h"
#include "commands/paired_source.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;

/// Also the name of the fact that holds the figures. Its number goes up when a figure changes.
std::string FingerprintOf(const CompareOptions& options, const ComparePlan& plan, const LpipsNetwork* lpips,
                          bool lenient) {
  return "compare/4 " + std::to_string(plan.set().bits) + " crop=" + std::to_string(options.crop_border) +
         (options.resize.empty() ? "" : " " + options.resize) + (options.align ? " aligned/3" : "") +
         (lpips != nullptr ? " " + lpips->kind() : "") + std::string(LenientMark(lenient));
}

bool IsGrey(const ImageHeader& header) {
  const int colours = header.bands - (header.has_alpha ? 1 : 0);
  return colours == 1;
}

bool SameSize(const ImageHeader& a, const ImageHeader& b) {
  return a.upright_width() == b.upright_width() && a.upright_height() == b.upright_height();
}

}  // namespace

/// The figures are kept when they are there.
class CompareOperation::Task final : public ItemTask {
 public:
  Task(CompareOperation& operation, const Item& item, std::unique_ptr<ItemTask> comparing)
      : operation_(operation), item_(item), comparing_(std::move(comparing)) {}
  Status Map(const Region& region) override { return comparing_->Map(region); }
  Status ReadRest() override { return comparing_->ReadRest(); }
  Status Finish(Outcome& outcome) override {
    TRY(comparing_->Finish(outcome));
    // Of a partner of which only a part could be read: a rerun is to say so again.
    if (!outcome.notes.empty()) return {};
    const MeasuredPair& measured = static_cast<const ComparePayload&>(*outcome.payload).measured;
    return operation_.catalog_.PutFact(item_.WorkContent(), operation_.traits().fingerprint,
                                       Packed(measured));
  }

 private:
  CompareOperation& operation_;
  const Item& item_;
  std::unique_ptr<ItemTask> comparing_;
};

CompareOperation::CompareOperation(const CompareOptions& options, const ComparePlan& plan,
                                   const CommandServices& services, LpipsNetwork* lpips, PairIndex* pairs,
                                   std::function<void(const PairEntry&, const PairPictureFiles&)> see)
    : Operation({.name = "compare",
                 .fingerprint = FingerprintOf(options, plan, lpips, services.shared->allow_truncated),
                 .prepares = lpips != nullptr,
                 .takes_broken = services.shared->allow_truncated}),
      options_(options),
      plan_(plan),
      allow_truncated_(services.shared->allow_truncated),
      catalog_(*services.catalog),
      lpips_(lpips),
      pairs_(pairs),
      see_(std::move(see)) {}

Result<std::vector<std::string>> CompareOperation::FindPartners(const ListedFile& file) {
  const std::string path = pairs_ != nullptr ? TRY(pairs_->Take(file)) : options_.pair;
  TRY(IsAnother(file.path, path, "name another file or folder to compare with"));
  return std::vector<std::string>{path};
}

CompareTaskParts CompareOperation::PartsFor(const Item& item) const {
  CompareTaskParts parts;
  const ImageHeader& own = item.main.header;
  const ImageHeader& partner = item.partner().header;
  if (!IsGrey(own) || !IsGrey(partner)) parts.reading.bands = ReadOptions::Bands::kRgb;
  parts.reading.allow_truncated = allow_truncated_;
  if (!SameSize(own, partner)) parts.resize = options_.resize;
  parts.metrics = plan_.set();
  parts.crop_border = options_.crop_border;
  parts.align = options_.align;
  parts.pictures = !options_.html.empty();
  parts.lpips = lpips_;
  return parts;
}

Result<ItemPlan> CompareOperation::Plan(const Item& item) const {
  const ImageHeader& own = item.main.header;
  const ImageHeader& partner = item.partner().header;
  if (!SameSize(own, partner) && options_.resize.empty()) {
    return Error{Stage::kProbe, Code::kConflict,
                 "it is " + UprightSizeText(own) + " and its partner " + PrintablePath(item.partner().path) +
                     " " + UprightSizeText(partner) +
                     ": they cannot be compared (--resize cubic would bring the partner to its size)"};
  }
  const CompareTaskParts parts = PartsFor(item);
  TRY(LeavesPixels(own.upright_width(), own.upright_height(), parts));
  if (Status whole = MayHoldPixels(partner, parts.reading); !whole)
    return OfPartner(item.partner().path, whole.error());
  ItemPlan plan(own, parts.reading, {kRowsPerRegion, 0});
  plan.work = CompareCost(item, parts);
  return plan;
}

Result<bool> CompareOperation::Recall(const Item& item, Outcome& outcome) {
  if (!options_.html.empty()) return false;  // pictures are not kept
  auto payload = std::make_unique<ComparePayload>();
  if (!Unpack(catalog_.FindFact(item.WorkContent(), traits().fingerprint), payload->measured)) return false;
  payload->partner = item.partner().path;
  payload->width = item.main.upright_width;
  payload->height = item.main.upright_height;
  outcome.payload = std::move(payload);
  outcome.state = Outcome::State::kDone;
  return true;
}

Result<std::unique_ptr<ItemTask>> CompareOperation::Start(const Item& item, const ItemPlan&) {
  std::unique_ptr<ItemTask> comparing = TRY(MakeCompareTask(item, PartsFor(item)));
  return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item, std::move(comparing)));
}

Verdict CompareOperation::Judge(const Outcome& outcome) const {
  if (outcome.payload == nullptr) return Verdict::kKeep;
  const auto& payload = static_cast<const ComparePayload&>(*outcome.payload);
  return plan_.BrokenBy(payload.measured.figures) ? Verdict::kDrop : Verdict::kKeep;
}

void CompareOperation::Collect(Outcome& outcome) {
  if (outcome.state == Outcome::State::kFailed) return;
  if (outcome.payload == nullptr) {
    preview_.Add(outcome);
    return;
  }
  const auto& payload = static_cast<const ComparePayload&>(*outcome.payload);
  see_({outcome.file, payload.partner, payload.width, payload.height, payload.measured}, payload.pictures);
}

}  // namespace imgmill
