// Goes over the entries once for the examples, and once more through the catalog for their pictures.
#include "filter_page.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/try.h"
#include "export_target.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/report/report_page.h"
#include "imgmill/report/signal_page.h"
#include "page_pictures.h"

namespace imgmill {
namespace {

constexpr size_t kExamples = 4;  // on each side of a cut
constexpr size_t kBars = 60;

struct Example {
  double value = 0;
  FilterEntry entry;
};

/// The few entries nearest to a value from one side: in ascending order of how far they are.
class Nearest {
 public:
  void Add(double far, double value, const FilterEntry& entry) {
    if (found_.size() == kExamples && far >= found_.back().first) return;
    const auto at = std::upper_bound(found_.begin(), found_.end(), far,
                                     [](double one, const auto& other) { return one < other.first; });
    found_.insert(at, {far, {value, entry}});
    if (found_.size() > kExamples) found_.pop_back();
  }
  const std::vector<std::pair<double, Example>>& found() const { return found_; }

 private:
  std::vector<std::pair<double, Example>> found_;
};

/// A rule's cut through one column; or, of a column without a rule, its two ends.
struct Cut {
  size_t column = 0;
  const AppliedRule* rule = nullptr;
  Nearest below, above;

  void Add(const FilterEntry& entry) {
    const double value = entry.values[column];
    if (std::isnan(value)) return;
    if (rule == nullptr) {
      below.Add(value, value, entry);
      above.Add(-value, value, entry);
    } else if (rule->rule.Drops(value, rule->threshold)) {
      below.Add(std::fabs(value - rule->threshold), value, entry);
    } else {
      above.Add(std::fabs(value - rule->threshold), value, entry);
    }
  }
};

std::vector<SignalExample> Shown(const Nearest& nearest, const std::string& folder,
                                 const PagePictures& pictures) {
  std::vector<SignalExample> shown;
  for (const auto& [far, example] : nearest.found()) {
    const std::string& path = example.entry.file.path;
    shown.push_back({PrintablePath(path), LinkFrom(folder, path), ShortNumber(example.value),
                     pictures.Of(example.entry.content).jpeg});
  }
  return shown;
}

std::string RuleText(const AppliedRule& applied) {
  std::string text = applied.rule.flag() + (" " + PrintablePath(applied.rule.text));
  if (applied.rule.percentile) text += " (" + ShortNumber(applied.threshold) + ")";
  return text + ": drops " + std::to_string(applied.dropped);
}

}  // namespace

void FilterPage::Add(size_t column, const Distribution& values, std::span<const AppliedRule> rules) {
  Spread& spread = spreads_[column];
  spread = {};
  spread.images = values.size();
  if (values.empty()) return;
  spread.lowest = values.lowest(), spread.median = values.At(50), spread.highest = values.highest();
  spread.from = values.At(1), spread.to = values.At(99);
  for (const AppliedRule& applied : rules) {
    if (applied.column != column || std::isnan(applied.threshold)) continue;
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

Status FilterPage::Write(const std::string& file, const FilterTable& entries,
                         std::span<const AppliedRule> rules, const CommandServices& services,
                         CommandResult& result) const {
  std::vector<Cut> cuts;
  for (size_t column = 0; column < signals_.size(); ++column) {
    const size_t before = cuts.size();
    for (const AppliedRule& rule : rules) {
      if (rule.column == column) cuts.push_back({column, &rule, {}, {}});
    }
    if (cuts.size() == before && spreads_[column].lowest < spreads_[column].highest)
      cuts.push_back({column, nullptr, {}, {}});
  }
  TRY(entries.ForEach([&](const FilterEntry& entry) {
    for (Cut& cut : cuts) cut.Add(entry);
    return Status();
  }));
  FileTable files;
  std::set<uint64_t> listed;
  for (const Cut& cut : cuts) {
    for (const Nearest* side : {&cut.below, &cut.above}) {
      for (const auto& [far, example] : side->found())
        if (listed.insert(example.entry.file.index).second) files.Add(example.entry.file);
    }
  }
  const PagePictures pictures(files.size(), services);
  TRY(pictures.Make(files, result));
  if (result.counts.interrupted) return {};

  std::vector<size_t> order(signals_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const auto ruled = [&](size_t column) {
      return std::any_of(rules.begin(), rules.end(),
                         [&](const AppliedRule& rule) { return rule.column == column; });
    };
    return std::pair(!ruled(a), signals_[a]) < std::pair(!ruled(b), signals_[b]);
  });
  const std::string folder = FolderOfPage(file);
  const Status written = WriteNamedFile(file, [&](const TextSink& put) -> Status {
    TRY(put(SignalPageBegin(result.summary,
                            {"Bars are as high as the root of their number of images; values beyond "
                             "the ends are in the first and last bar."})));
    for (const size_t column : order) {
      const SignalInfo& info = InfoOf(signals_[column]);
      const Spread& spread = spreads_[column];
      SignalCard card;
      card.name = info.name, card.unit = info.unit, card.meaning = info.meaning;
      card.bars = spread.bars;
      card.from = ShortNumber(spread.from), card.to = ShortNumber(spread.to);
      card.median = ShortNumber(spread.median);
      const uint64_t without = entries.size() - spread.images;
      if (without > 0)
        card.note = std::to_string(without) + (without == 1 ? " image has" : " images have") + " no value";
      for (const Cut& cut : cuts) {
        if (cut.column != column) continue;
        SignalCut shown;
        shown.before = cut.rule == nullptr ? "lowest" : "dropped, nearest to the cut";
        shown.after = cut.rule == nullptr ? "highest" : "not dropped by it, nearest to the cut";
        if (cut.rule != nullptr) {
          shown.text = RuleText(*cut.rule);
          const double range = spread.to - spread.from;
          if (range > 0) shown.place = (cut.rule->threshold - spread.from) / range;
        }
        shown.below = Shown(cut.below, folder, pictures);
        shown.above = Shown(cut.above, folder, pictures);
        card.cuts.push_back(std::move(shown));
      }
      TRY(put(SignalPageCard(card)));
    }
    return put(SignalPageEnd());
  });
  if (!written) return OfTarget("--html", file, written.error());
  result.details["html"] = PrintablePath(file);
  return {};
}

}  // namespace imgmill
