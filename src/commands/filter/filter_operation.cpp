// Measures all pixel signals from one decode, which networks see too, and keeps them in the catalog.
#include "filter_operation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/lenient_mark.h"
#include "base/try.h"
#include "commands/pack/packed_fact.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/signals/rounded_row.h"

namespace imgmill {
namespace {

/// What networks are shown of rows as they are read.
Layout ShownTo(const Layout& read) {
  return {read.width, read.height, read.colour_bands(), Sample::kU8};
}

constexpr int64_t kRowsPerRegion = 64;
constexpr size_t kExifBytes = 256 * kKiB;    // a JPEG's block, or a header in libvips
constexpr size_t kProfileBytes = 16 * kMiB;  // a profile's parts are read with a JPEG's block, up to as many
// The numbers are the records' and the reading's: each value in them has a version of its own.
constexpr char kHeaderFact[] = "header-signals/1";
constexpr char kExifFact[] = "exif-signals/2";
constexpr char kExifTextFact[] = "exif-texts/4";
constexpr char kPixelFact[] = "pixel-signals/1";
// Under the names above, images with alpha were once measured by the colours that lie hidden under it.
constexpr char kOnWhite[] = " on white";

double ValueOf(const SignalValues& values, Signal signal) {
  return values[signal].value_or(std::numeric_limits<double>::quiet_NaN());
}

SignalFacts::Wanted NeedsOf(const std::vector<Signal>& wanted, bool all_signals,
                            std::span<const Scorer> scorers, const std::vector<FilterRule>& rules) {
  const auto from_pixels = [](Signal signal) { return InfoOf(signal).from_pixels; };
  const auto about_exif = [](const FilterRule& rule) { return rule.about_exif(); };
  return {all_signals || !scorers.empty() || std::any_of(wanted.begin(), wanted.end(), from_pixels),
          all_signals || std::any_of(rules.begin(), rules.end(), about_exif)};
}

/// Whether it is damaged, and the texts, each behind a zero byte, which none of them has.
std::string PackTexts(const ImageFacts& facts) {
  std::string bytes(1, facts.exif_damaged ? 'd' : 'w');
  for (const std::string& text : facts.texts) bytes += '\0' + text;
  return bytes;
}

bool UnpackTexts(std::string_view bytes, ImageFacts& facts) {
  PhotoTexts texts;
  if (bytes.empty()) return false;
  const bool damaged = bytes[0] == 'd';
  bytes.remove_prefix(1);
  for (std::string& text : texts) {
    if (bytes.empty() || bytes[0] != '\0') return false;
    bytes.remove_prefix(1);
    text = bytes.substr(0, bytes.find('\0'));
    bytes.remove_prefix(text.size());
  }
  if (!bytes.empty()) return false;
  facts.texts = std::move(texts);
  facts.exif_damaged = damaged;
  return true;
}

void NoteDamage(const ImageFacts& facts, Outcome& outcome) {
  if (facts.exif_damaged)
    outcome.notes.emplace_back("its EXIF is damaged: what cannot be read of it counts as missing");
}

}  // namespace

SignalFacts::SignalFacts(Catalog& catalog, std::span<const Scorer> scorers, bool lenient)
    : catalog_(catalog), pixel_fact_(std::string(kPixelFact).append(LenientMark(lenient))) {
  for (const Scorer& scorer : scorers)
    scores_.emplace_back(scorer.signal, std::string(scorer.network->kind()).append(LenientMark(lenient)));
}

bool SignalFacts::Has(const SignalInfo& info) const {
  return !info.by_network || std::any_of(scores_.begin(), scores_.end(),
                                         [&](const auto& score) { return score.first == info.signal; });
}

bool SignalFacts::Find(const ContentDigest& content, Wanted wanted, ImageFacts& facts) const {
  SignalValues& values = facts.values;
  const std::optional<std::string> header = catalog_.FindFact(content, kHeaderFact);
  if (!header || !UnpackSignals(*header, SignalSet::OfHeader(), values)) return false;
  if (wanted.exif && !FindExif(content, facts)) return false;
  for (const auto& [signal, fact] : scores_) {
    double score = 0;
    if (!Unpack(catalog_.FindFact(content, fact), score)) return false;
    values[signal] = score;
  }
  if (!wanted.pixels) return true;
  const std::optional<std::string> measured = catalog_.FindFact(content, PixelFact(values));
  return measured && UnpackSignals(*measured, SignalSet::OfPixels(), values);
}

bool SignalFacts::FindExif(const ContentDigest& content, ImageFacts& facts) const {
  const std::optional<std::string> numbers = catalog_.FindFact(content, kExifFact);
  const std::optional<std::string> texts = catalog_.FindFact(content, kExifTextFact);
  return numbers && UnpackSignals(*numbers, SignalSet::OfExif(), facts.values) && texts &&
         UnpackTexts(*texts, facts);
}

Status SignalFacts::Put(const ContentDigest& content, Wanted known, const ImageFacts& facts) const {
  const SignalValues& values = facts.values;
  TRY(catalog_.PutFact(content, kHeaderFact, PackSignals(values, SignalSet::OfHeader())));
  for (const auto& [signal, fact] : scores_) TRY(catalog_.PutFact(content, fact, Packed(*values[signal])));
  if (known.exif) {
    TRY(catalog_.PutFact(content, kExifFact, PackSignals(values, SignalSet::OfExif())));
    TRY(catalog_.PutFact(content, kExifTextFact, PackTexts(facts)));
  }
  if (!known.pixels) return {};
  return catalog_.PutFact(content, PixelFact(values), PackSignals(values, SignalSet::OfPixels()));
}

std::string SignalFacts::PixelFact(const SignalValues& header) const {
  return pixel_fact_ + (header[Signal::kHasAlpha] == 1.0 ? kOnWhite : "");
}

struct FilterOperation::FilterPayload final : Payload {
  ImageFacts facts;
  FileStamp stamp;
  ContentDigest content;
};

class FilterOperation::Task final : public ItemTask {
 public:
  Task(FilterOperation& operation, const Item& item, const ItemPlan& plan, PhotoFacts exif)
      : operation_(operation), item_(item), exif_(std::move(exif)) {
    if (operation.needs_.pixels) meter_.emplace(plan.input, SignalSet::OfPixels());
    const Layout shown = ShownTo(plan.input);
    for (const Scorer& scorer : operation.scorers_) scoring_.push_back(scorer.network->Start(shown));
    if (!scoring_.empty() && plan.input != shown)
      shown_ = Image({shown.width, kRowsPerRegion, shown.bands, shown.sample});
  }

  Status Map(const Region& region) override {
    meter_->Add(region.view);
    ImageView rows = region.view;
    if (shown_) {
      for (int64_t y = 0; y < rows.layout.height; ++y) RoundRow(rows.row(y), rows.layout, shown_->row(y));
      const int64_t count = rows.layout.height;
      rows = shown_->view();
      rows.layout.height = count;
    }
    for (const auto& each : scoring_) each->Add(rows);
    return {};
  }

  Status Finish(Outcome& outcome) override {
    auto payload = std::make_unique<FilterPayload>();
    payload->facts = {HeaderSignals(item_.main.header), exif_.texts, exif_.damaged};
    SignalValues& values = payload->facts.values;
    const SignalValues photo = ExifSignals(exif_);
    for (const SignalInfo& info : AllSignals()) {
      if (info.from_exif) values[info.signal] = photo[info.signal];
    }
    if (meter_) {
      const SignalValues measured = meter_->Finish();
      for (const SignalInfo& info : AllSignals()) {
        if (info.from_pixels) values[info.signal] = measured[info.signal];
      }
    }
    for (size_t i = 0; i < scoring_.size(); ++i) {
      const Scorer& scorer = operation_.scorers_[i];
      float score = 0;
      TRY(scoring_[i]->Finish(kAsItIs, {&score, 1}, outcome.rung));
      if (!std::isfinite(score)) {
        return Error{Stage::kCompute, Code::kModelError,
                     PrintablePath(scorer.path) + " gives a score that is no finite number"};
      }
      values[scorer.signal] = static_cast<double>(score);
    }
    const SignalFacts::Wanted known = {operation_.needs_.pixels, operation_.reads_exif()};
    TRY(operation_.facts_.Put(item_.main.content, known, payload->facts));
    if (operation_.needs_.exif) NoteDamage(payload->facts, outcome);
    payload->stamp = item_.main.stamp;
    payload->content = item_.main.content;
    outcome.payload = std::move(payload);
    return {};
  }

 private:
  FilterOperation& operation_;
  const Item& item_;
  const PhotoFacts exif_;
  std::optional<SignalMeter> meter_;
  std::vector<std::unique_ptr<ImageEmbedding>> scoring_;
  std::optional<Image> shown_;  ///< rows in 8 bits over white, where others were read
};

namespace {

OperationTraits TraitsOf(SignalFacts::Wanted needs, std::span<const Scorer> scorers,
                         const std::vector<FilterRule>& rules, bool acts, bool lenient) {
  OperationTraits traits;
  traits.name = "filter";
  traits.fingerprint = needs.pixels ? "filter pixels" : "filter header";
  if (needs.exif) traits.fingerprint += " exif";
  for (const Scorer& scorer : scorers) traits.fingerprint += " " + scorer.network->kind();
  traits.fingerprint += LenientMark(lenient);
  traits.prepares = !scorers.empty();
  traits.judges_after_reduce =
      acts || std::any_of(rules.begin(), rules.end(), [](const FilterRule& rule) { return rule.percentile; });
  traits.leaves_only_facts = true;
  traits.takes_broken = lenient;
  return traits;
}

}  // namespace

FilterOperation::FilterOperation(const std::vector<Signal>& wanted, bool all_signals,
                                 std::span<const Scorer> scorers, const CommandServices& services,
                                 std::vector<FilterRule> rules, bool acts)
    : Operation(TraitsOf(NeedsOf(wanted, all_signals, scorers, rules), scorers, rules, acts,
                         services.shared->allow_truncated)),
      wanted_(wanted),
      scorers_(scorers),
      needs_(NeedsOf(wanted, all_signals, scorers, rules)),
      allow_truncated_(services.shared->allow_truncated),
      rules_(std::move(rules)),
      facts_(*services.catalog, scorers, allow_truncated_) {}

Result<ItemPlan> FilterOperation::Plan(const Item& item) const {
  size_t exif_bytes = reads_exif() ? kExifBytes : 0;
  if (reads_exif() && item.main.header.format == ImageFormat::kJpeg)
    exif_bytes += std::min(static_cast<size_t>(item.main.header.decoder_tables), kProfileBytes);
  if (!needs_.pixels) return ItemPlan::WithoutPixels({0, 64 * kKiB + exif_bytes});
  ReadOptions reading;
  // The meter rounds to 8 bits by itself, and sees how many of 16 are used; networks are shown 8.
  reading.to_8bit = item.main.header.sample != Sample::kU16;
  // What lies under it is seen by nobody; of 16 bits, too, the meter sees to that.
  reading.alpha = reading.to_8bit ? ReadOptions::Alpha::kFlattenWhite : ReadOptions::Alpha::kKeep;
  reading.allow_truncated = allow_truncated_;
  // Signals are the same of grey rows and of three equal bands.
  if (!scorers_.empty()) reading.bands = ReadOptions::Bands::kRgb;
  ItemPlan plan(item.main.header, reading, {kRowsPerRegion, 0});
  plan.work = {SignalMeter::PooledBytes(plan.input), 64 * kKiB};  // by then EXIF has been read
  const Layout shown = ShownTo(plan.input);
  for (const Scorer& scorer : scorers_) plan.work.pooled += scorer.network->PooledBytes(shown);
  if (!scorers_.empty() && plan.input != shown)
    plan.work.pooled += shown.row_bytes() * size_t{kRowsPerRegion};
  return plan;
}

Result<bool> FilterOperation::Recall(const Item& item, Outcome& outcome) {
  auto payload = std::make_unique<FilterPayload>();
  if (!facts_.Find(item.main.content, needs_, payload->facts)) return false;
  if (needs_.exif) NoteDamage(payload->facts, outcome);
  payload->stamp = item.main.stamp;
  payload->content = item.main.content;
  outcome.payload = std::move(payload);
  outcome.state = Outcome::State::kDone;
  return true;
}

Status FilterOperation::Prepare() {
  for (const Scorer& scorer : scorers_) TRY(scorer.network->Prepare());
  return {};
}

Result<std::unique_ptr<ItemTask>> FilterOperation::Start(const Item& item, const ItemPlan& plan) {
  PhotoFacts exif;
  if (reads_exif()) {
    Result<PhotoFacts> read = ReadPhotoFacts(item.main.path);
    if (!read) return read.error();
    exif = *std::move(read);
  }
  return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item, plan, std::move(exif)));
}

Verdict FilterOperation::Judge(const Outcome& outcome) const {
  const ImageFacts& facts = static_cast<const FilterPayload&>(*outcome.payload).facts;
  for (const FilterRule& rule : rules_) {
    if (rule.percentile) continue;
    const bool drops = rule.photo_text ? rule.Drops(facts.texts[static_cast<size_t>(*rule.photo_text)])
                                       : rule.Drops(ValueOf(facts.values, rule.signal), rule.number);
    if (drops) return Verdict::kDrop;
  }
  return traits().judges_after_reduce ? Verdict::kAfterReduce : Verdict::kKeep;
}

void FilterOperation::Collect(Outcome& outcome) {
  if (outcome.state != Outcome::State::kDone) return;
  const auto& payload = static_cast<const FilterPayload&>(*outcome.payload);
  FilterEntry entry{outcome.file, payload.stamp, payload.content, {}, {}};
  for (const Signal signal : wanted_) entry.values.push_back(ValueOf(payload.facts.values, signal));
  entry.texts.assign(payload.facts.texts.begin(), payload.facts.texts.end());
  entries_.Add(entry);
}

}  // namespace imgmill
