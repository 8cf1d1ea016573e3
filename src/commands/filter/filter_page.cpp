// Goes over the entries once for the examples, and once more through the catalog for their pictures.
#include "filter_page.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/counted.h"
#include "base/try.h"
#include "commands/export_target.h"
#include "commands/page_failures.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/report/report_page.h"

namespace imgmill {
namespace {

constexpr size_t kExamples = 4;  // on each side of a cut
constexpr size_t kBars = 60;

/// The few entries nearest to a value from one side: in ascending order of how far they are.
class Nearest {
 public:
  void Add(double far, const FilterEntry& entry) {
    if (found_.size() == kExamples && far >= found_.back().first) return;
    const auto at = std::upper_bound(found_.begin(), found_.end(), far,
                                     [](double one, const auto& other) { return one < other.first; });
    found_.insert(at, {far, entry});
    if (found_.size() > kExamples) found_.pop_back();
  }
  const std::vector<std::pair<double, FilterEntry>>& found() const { return found_; }

 private:
  std::vector<std::pair<double, FilterEntry>> found_;
};

std::string RuleText(const AppliedRule& applied) {
  return applied.rule.flag() + (" " + applied.rule.text) + applied.ThresholdText() + ": drops " +
         std::to_string(applied.dropped);
}

std::string Without(uint64_t images) {
  if (images == 0) return "";
  return Counted(images, "image has", "images have") + " no value";
}

bool AnyAbout(std::span<const AppliedRule> rules, PhotoText text) {
  return std::any_of(rules.begin(), rules.end(),
                     [&](const AppliedRule& rule) { return rule.rule.photo_text == text; });
}

}  // namespace

/// A rule's cut through one column; or, of a column without a rule, its two ends.
struct FilterPage::Cut {
  size_t column = 0;
  const AppliedRule* rule = nullptr;
  Nearest below, above;

  /// How far the value is from a rule's number; 0 where it compares with none.
  double Far(const FilterEntry& entry) const {
    if (rule->rule.photo_text || std::isnan(rule->threshold)) return 0;
    return std::fabs(entry.values[column] - rule->threshold);
  }
  void Add(const FilterEntry& entry) {
    if (rule != nullptr) {
      if (rule->HasValue(entry)) (rule->Drops(entry) ? below : above).Add(Far(entry), entry);
    } else if (const double value = entry.values[column]; !std::isnan(value)) {
      below.Add(value, entry);
      above.Add(-value, entry);
    }
  }
};

namespace {

/// @param value  gives an entry's as text
template <typename Value>
std::vector<SignalExample> Shown(const Nearest& nearest, const std::string& folder,
                                 const PagePictures& pictures, const ActedPlaces& places,
                                 const Value& value) {
  std::vector<SignalExample> shown;
  for (const auto& [far, entry] : nearest.found()) {
    const std::string path = places.PathOf(entry.file);
    SignalExample example;
    example.name = PrintablePath(path);
    example.value = value(entry);
    example.jpeg = pictures.Of(entry.content).jpeg;
    if (places.WasDone(entry.file)) example.note = "moved from " + PrintablePath(entry.file.path);
    if (places.IsGone(entry.file)) {
      example.note = "no longer there";
    } else {
      example.link = LinkFrom(folder, path);
    }
    shown.push_back(std::move(example));
  }
  return shown;
}

/// The files of all examples, each once.
template <typename Cuts>
FileTable FilesOf(const Cuts& cuts) {
  FileTable files;
  std::set<uint64_t> listed;
  for (const auto& cut : cuts) {
    for (const Nearest* side : {&cut.below, &cut.above}) {
      for (const auto& [far, entry] : side->found())
        if (listed.insert(entry.file.index).second) files.Add(entry.file);
    }
  }
  return files;
}

}  // namespace

FilterPage::FilterPage(std::vector<Signal> signals)
    : signals_(std::move(signals)), spreads_(signals_.size()) {}

FilterPage::~FilterPage() = default;

void FilterPage::Add(size_t column, const Distribution& values, std::span<const AppliedRule> rules) {
  Spread& spread = spreads_[column];
  spread = {};
  spread.images = values.size();
  if (values.empty()) return;
  spread.lowest = values.lowest(), spread.median = values.At(50), spread.highest = values.highest();
  spread.from = values.At(1), spread.to = values.At(99);
  for (const AppliedRule& applied : rules) {
    if (applied.rule.photo_text || applied.column != column || std::isnan(applied.threshold)) continue;
    spread.from = std::min(spread.from, applied.threshold);
    spread.to = std::max(spread.to, applied.threshold);
  }
  spread.bars.assign(kBars, 0);
  const double range = spread.to - spread.from;
  for (const double value : values.values()) {
    const double place = range > 0 ? (value - spread.from) / range : 0;
    ++spread.bars[static_cast<size_t>(std::clamp(place * kBars, 0.0, kBars - 1.0))];
  }
}

std::vector<FilterPage::Cut> FilterPage::CutsOf(std::span<const AppliedRule> rules) const {
  std::vector<Cut> cuts;
  for (size_t column = 0; column < signals_.size(); ++column) {
    const size_t before = cuts.size();
    for (const AppliedRule& rule : rules) {
      if (!rule.rule.photo_text && rule.column == column) cuts.push_back({column, &rule, {}, {}});
    }
    if (cuts.size() == before && spreads_[column].lowest < spreads_[column].highest)
      cuts.push_back({column, nullptr, {}, {}});
  }
  for (const AppliedRule& rule : rules) {
    if (rule.rule.photo_text) cuts.push_back({rule.column, &rule, {}, {}});
  }
  return cuts;
}

/// Columns with a rule first; fields of EXIF that no image has and no rule is about are left out.
std::vector<size_t> FilterPage::Order(std::span<const AppliedRule> rules) const {
  const auto ruled = [&](size_t column) {
    return std::any_of(rules.begin(), rules.end(), [&](const AppliedRule& rule) {
      return !rule.rule.photo_text && rule.column == column;
    });
  };
  std::vector<size_t> order;
  for (size_t column = 0; column < signals_.size(); ++column) {
    if (spreads_[column].images > 0 || !InfoOf(signals_[column]).from_exif || ruled(column))
      order.push_back(column);
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(!ruled(a), signals_[a]) < std::pair(!ruled(b), signals_[b]);
  });
  return order;
}

SignalCard FilterPage::CardOf(size_t column, uint64_t images) const {
  const SignalInfo& info = InfoOf(signals_[column]);
  const Spread& spread = spreads_[column];
  SignalCard card;
  card.name = info.name, card.unit = info.unit, card.meaning = info.meaning;
  card.bars = spread.bars;
  card.from = ShortValue(info.signal, spread.from), card.to = ShortValue(info.signal, spread.to);
  card.median = ShortValue(info.signal, spread.median);
  card.note = Without(images - spread.images);
  return card;
}

SignalCard FilterPage::CardOf(const PhotoTextInfo& info, uint64_t images) const {
  constexpr size_t kMostShown = 12;
  SignalCard card;
  card.name = info.name, card.meaning = info.meaning;
  card.values = texts_.Most(info.text, kMostShown);
  uint64_t others = texts_.images(info.text);
  for (const auto& [text, count] : card.values) others -= count;
  if (others > 0) card.values.emplace_back("others", others);
  card.note = Without(images - texts_.images(info.text));
  return card;
}

SignalCut FilterPage::ShownCut(const Cut& cut, const std::string& folder, const ActedPlaces& places) const {
  SignalCut shown;
  shown.before = cut.rule == nullptr ? "lowest" : "dropped, nearest to the cut";
  shown.after = cut.rule == nullptr ? "highest" : "not dropped by it, nearest to the cut";
  if (cut.rule != nullptr) {
    shown.text = RuleText(*cut.rule);
    if (cut.rule->rule.photo_text || std::isnan(cut.rule->threshold)) {
      shown.before = "dropped", shown.after = "not dropped by it";
    } else if (const Spread& spread = spreads_[cut.column]; spread.to > spread.from) {
      shown.place = (cut.rule->threshold - spread.from) / (spread.to - spread.from);
    }
  }
  const auto value = [&](const FilterEntry& entry) {
    return cut.rule != nullptr ? cut.rule->ValueText(entry)
                               : ShortValue(signals_[cut.column], entry.values[cut.column]);
  };
  shown.below = Shown(cut.below, folder, *pictures_, places, value);
  shown.above = Shown(cut.above, folder, *pictures_, places, value);
  return shown;
}

Status FilterPage::Prepare(const FilterTable& entries, std::span<const AppliedRule> rules,
                           const CommandServices& services, CommandResult& result) {
  cuts_ = CutsOf(rules);
  TRY(entries.ForEach([&](const FilterEntry& entry) {
    for (Cut& cut : cuts_) cut.Add(entry);
    return Status();
  }));
  const FileTable files = FilesOf(cuts_);
  pictures_.emplace(files.size(), services);
  return pictures_->Make(files, result);
}

Status FilterPage::Write(const std::string& file, uint64_t images, std::span<const AppliedRule> rules,
                         const ActedPlaces& places, CommandResult& result) const {
  const std::string folder = FolderOfPage(file);
  const auto put_card = [&](const TextSink& put, SignalCard card, const auto& is_about) -> Status {
    for (const Cut& cut : cuts_) {
      if (is_about(cut)) card.cuts.push_back(ShownCut(cut, folder, places));
    }
    return put(SignalPageCard(card));
  };
  const auto put_texts = [&](const TextSink& put, bool ruled) -> Status {
    for (const PhotoTextInfo& info : AllPhotoTexts()) {
      const bool has_rule = AnyAbout(rules, info.text);
      if (has_rule != ruled || (!has_rule && texts_.images(info.text) == 0)) continue;
      const Status done = put_card(put, CardOf(info, images), [&](const Cut& cut) {
        return cut.rule != nullptr && cut.rule->rule.photo_text == info.text;
      });
      if (!done) return done;
    }
    return {};
  };
  const PageFailures failed = TRY(PageFailuresOf(result.failed));
  const Status written = WriteNamedFile(file, [&](const TextSink& put) -> Status {
    TRY(put(SignalPageBegin(
        result.summary + (failed.count > 0 ? ", " + std::to_string(failed.count) + " failed" : ""),
        {"The height of a bar is the square root of its number of images, which it shows under the pointer; "
         "values beyond the ends are in the first and last bar."},
        failed)));
    TRY(put_texts(put, true));
    for (const size_t column : Order(rules)) {
      const Status done = put_card(put, CardOf(column, images), [&](const Cut& cut) {
        return cut.column == column && (cut.rule == nullptr || !cut.rule->rule.photo_text);
      });
      if (!done) return done;
    }
    TRY(put_texts(put, false));
    return put(SignalPageEnd());
  });
  if (!written) return OfTarget("--html", file, written.error());
  result.details["html"] = PrintablePath(file);
  return {};
}

}  // namespace imgmill
