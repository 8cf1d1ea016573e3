// Which end of each signal's values is the bad one, and where to cut it off.
#include "filter_suggest.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "base/try.h"

namespace imgmill {
namespace {

struct Tails {
  Signal signal;
  bool low;   ///< few of it is bad
  bool high;  ///< much of it is
};
// Others have no bad end, are 0 or 1, or depend on what the images are for.
constexpr Tails kTails[] = {
    {Signal::kShortSide, true, false},     {Signal::kAspect, true, true},
    {Signal::kBytesPerPixel, true, false}, {Signal::kJpegQuality, true, false},
    {Signal::kBrightness, true, true},     {Signal::kContrast, true, false},
    {Signal::kEntropy, true, false},       {Signal::kSharpness, true, false},
    {Signal::kNoise, false, true},         {Signal::kBlockiness, false, true},
    {Signal::kClippedDark, false, true},   {Signal::kClippedBright, false, true},
    {Signal::kDarkEnd, false, true},       {Signal::kBrightEnd, true, false},
    {Signal::kColorCast, false, true},     {Signal::kSpatialInformation, true, false},
    {Signal::kBlur, false, true},          {Signal::kJpegVisible, true, false},
    {Signal::kLetterbox, false, true},     {Signal::kBorder, false, true},
    {Signal::kInterlacing, false, true},   {Signal::kUniqueColors, true, false},
    {Signal::kBitDepth, true, false},      {Signal::kUpscaled, false, true},
    {Signal::kTextShare, false, true},     {Signal::kAesthetic, true, false},
    {Signal::kHyperIqa, true, false},      {Signal::kComplexity, true, false},
    {Signal::kWatermark, false, true},     {Signal::kNsfw, false, true},
};

/// As short as it can be written, so that it reads back to the same number.
std::string RuleNumber(double value) {
  char text[32];
  const auto [end, problem] = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed);
  return problem == std::errc() ? std::string(text, end) : ShortNumber(value);
}

double Rounded(double value, double (*whole)(double)) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double digits = 2 - std::floor(std::log10(std::fabs(value)));
  // Dividing by a power of ten gives the decimal number nearest to what is meant; multiplying by 0.01 does
  // not.
  if (digits <= 0) {
    const double unit = std::pow(10, -digits);
    return whole(value / unit) * unit;
  }
  const double unit = std::pow(10, digits);
  return whole(value * unit) / unit;
}

std::string Share(uint64_t part, uint64_t all) {
  return ShortNumber(std::round(1000.0 * static_cast<double>(part) / static_cast<double>(all)) / 10) + " %";
}

}  // namespace

double RoundedDown(double value) {
  return Rounded(value, [](double v) { return std::floor(v); });
}

double RoundedUp(double value) {
  return Rounded(value, [](double v) { return std::ceil(v); });
}

void Suggestions::Add(size_t column, const Distribution& values) {
  const auto tails = std::find_if(std::begin(kTails), std::end(kTails),
                                  [&](const Tails& each) { return each.signal == signals_[column]; });
  if (tails == std::end(kTails) || values.empty()) return;
  if (tails->low) Suggest(column, values, true);
  if (tails->high) Suggest(column, values, false);
}

void Suggestions::Suggest(size_t column, const Distribution& values, bool low) {
  // So many may be dropped; cutting at the next one drops no more of them.
  const auto most = static_cast<size_t>(share_ / 100 * static_cast<double>(values.size()));
  const double cut =
      low ? RoundedDown(values.values()[most]) : RoundedUp(values.values()[values.size() - 1 - most]);
  const size_t dropped = low ? values.Below(cut) : values.Above(cut);
  if (dropped == 0) return;
  Suggestion each;
  FilterRule& rule = each.applied.rule;
  rule.text = std::string(InfoOf(signals_[column]).name) + (low ? "<" : ">") + RuleNumber(cut);
  rule.keeps = false;  // what has no value is not dropped for it
  rule.signal = signals_[column];
  rule.comparison = low ? FilterRule::Comparison::kLess : FilterRule::Comparison::kGreater;
  rule.number = each.applied.threshold = cut;
  each.applied.column = column;
  each.applied.dropped = dropped;
  each.lowest = values.lowest(), each.median = values.At(50), each.highest = values.highest();
  suggestions_.push_back(std::move(each));
}

Status Suggestions::Count(const FilterTable& entries) {
  std::stable_sort(suggestions_.begin(), suggestions_.end(), [](const Suggestion& a, const Suggestion& b) {
    return a.applied.rule.signal < b.applied.rule.signal;
  });
  images_ = entries.size();
  return entries.ForEach([&](const FilterEntry& entry) {
    dropped_ += std::any_of(suggestions_.begin(), suggestions_.end(), [&](const Suggestion& each) {
      return each.applied.rule.Drops(entry.values[each.applied.column], each.applied.threshold);
    });
    return Status();
  });
}

std::string Suggestions::Text() const {
  if (suggestions_.empty())
    return "# no rule to suggest: none would drop " + ShortNumber(share_) + " % of " +
           std::to_string(images_) + " images or less\n";
  std::string text, together;
  for (const Suggestion& each : suggestions_) {
    std::string flag = "--drop '" + each.applied.rule.text + "'";
    together += (together.empty() ? "" : " ") + flag;
    flag.resize(std::max<size_t>(flag.size() + 1, 32), ' ');
    text += flag + "# " + Counted(each.applied.dropped, "image") + " (" +
            Share(each.applied.dropped, images_) + "); values from " + ShortNumber(each.lowest) + " to " +
            ShortNumber(each.highest) + ", median " + ShortNumber(each.median) + "\n";
  }
  return text + "# together they drop " + std::to_string(dropped_) + " of " + std::to_string(images_) +
         " images (" + Share(dropped_, images_) + "):\n" + together + "\n";
}

nlohmann::ordered_json Suggestions::Json() const {
  nlohmann::ordered_json rules = nlohmann::ordered_json::array();
  for (const Suggestion& each : suggestions_) {
    rules.push_back({{"rule", each.applied.rule.text},
                     {"effect", "drop"},
                     {"signal", InfoOf(each.applied.rule.signal).name},
                     {"threshold", each.applied.threshold},
                     {"dropped", each.applied.dropped},
                     {"lowest", each.lowest},
                     {"median", each.median},
                     {"highest", each.highest}});
  }
  return {{"share", share_}, {"dropped", dropped_}, {"rules", std::move(rules)}};
}

}  // namespace imgmill
