// Looks the images up, and lays their values beside those of all others.
#include "filter_explain.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/counted.h"
#include "base/try.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

std::string Cell(std::string text, size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

std::string PlaceText(double place) {
  char text[16];
  std::snprintf(text, sizeof text, "p%.1f", place);
  return text;
}

/// The same file, however it was named.
bool IsFile(const std::string& path, const std::string& asked) {
  if (path == asked) return true;
  const std::filesystem::path one(path), other(asked);
  if (one.filename() != other.filename()) return false;
  std::error_code problem;
  return std::filesystem::equivalent(one, other, problem) && !problem;
}

std::string RuleText(const AppliedRule& rule, const FilterEntry& entry) {
  return Cell(rule.Drops(entry) ? "  drops it:" : "  lets it pass:", 18) + rule.rule.flag() + " " +
         rule.rule.text + rule.ThresholdText() + ", and it has " +
         (rule.HasValue(entry) ? rule.ValueText(entry) : "no value") + "\n";
}

/// Where no image has any, a field of EXIF is not worth a line.
bool IsTold(const SignalSpread& spread) {
  return spread.images > 0 || !InfoOf(spread.signal).from_exif;
}

}  // namespace

Explanations::Explanations(std::vector<std::string> paths, std::vector<Signal> signals)
    : signals_(std::move(signals)), in_order_(signals_.size()), spreads_(signals_.size()) {
  std::iota(in_order_.begin(), in_order_.end(), size_t{0});
  std::sort(in_order_.begin(), in_order_.end(),
            [&](size_t a, size_t b) { return signals_[a] < signals_[b]; });
  for (std::string& path : paths) {
    images_.push_back({std::move(path), std::nullopt, std::vector<double>(signals_.size())});
  }
}

Status Explanations::FindImages(const FilterTable& entries, const FailureTable& failed) {
  const Status read = entries.ForEach([&](const FilterEntry& entry) {
    texts_.Add(entry.texts);
    for (Image& image : images_) {
      if (!image.entry && IsFile(entry.file.path, image.asked)) image.entry = entry;
    }
    return Status();
  });
  if (!read) return read;
  for (const Image& image : images_) {
    if (image.entry) continue;
    std::optional<Error> why;
    TRY(failed.ForEach([&](const FailedItem& item) {
      if (!why && IsFile(item.path, image.asked)) why = item.error;
      return Status();
    }));
    if (why)
      return Error{Stage::kReduce, Code::kUsage,
                   "--explain " + Describe(image.asked, *why) + ": an image that failed has no values"};
    return Error{Stage::kReduce, Code::kUsage,
                 "--explain " + PrintablePath(image.asked) +
                     ": it is not among the images of this run that could be read: name it as it is listed, "
                     "and give its folder"};
  }
  return {};
}

void Explanations::Add(size_t column, const Distribution& values) {
  SignalSpread& spread = spreads_[column];
  spread.signal = signals_[column];
  spread.images = values.size();
  if (values.empty()) return;
  spread.lowest = values.lowest();
  spread.median = values.At(50);
  spread.highest = values.highest();
  for (Image& image : images_) {
    if (image.entry) image.places[column] = values.Place(image.entry->values[column]);
  }
}

std::string Explanations::TextsOf(const FilterEntry& entry) const {
  std::string text;
  for (const PhotoTextInfo& info : AllPhotoTexts()) {
    const uint64_t images = texts_.images(info.text);
    if (images == 0) continue;
    const std::string& value = entry.texts[static_cast<size_t>(info.text)];
    text += "  " + Cell(std::string(info.name), 20);
    text +=
        value.empty() ? "-  (of " : value + "  (" + std::to_string(texts_.Count(info.text, value)) + " of ";
    text += Counted(images, "image that has", "images that have") + " one)\n";
  }
  return text;
}

std::string Explanations::Text(std::span<const AppliedRule> rules) const {
  std::string text;
  for (const Image& image : images_) {
    if (!image.entry) continue;
    const FilterEntry& entry = *image.entry;
    const bool kept = BrokenRules(rules, entry) == 0;
    text += (kept ? "keep " : "drop ") + PrintablePath(entry.file.path) + "\n";
    for (const AppliedRule& rule : rules) text += RuleText(rule, entry);
    text += "  " + Cell("signal", 20) + Cell("value", 14) + Cell("unit", 12) + Cell("place", 9) +
            Cell("lowest", 12) + Cell("median", 12) + "highest\n";
    for (const size_t column : in_order_) {
      const SignalInfo& info = InfoOf(signals_[column]);
      const SignalSpread& spread = spreads_[column];
      if (!IsTold(spread)) continue;
      const double value = entry.values[column];
      const bool known = !std::isnan(value);
      text += "  " + Cell(std::string(info.name), 20) +
              Cell(known ? ShortValue(info.signal, value) : "-", 14) + Cell(std::string(info.unit), 12) +
              Cell(known ? PlaceText(image.places[column]) : "-", 9);
      text += spread.images == 0 ? "no image has a value\n"
                                 : Cell(ShortValue(info.signal, spread.lowest), 12) +
                                       Cell(ShortValue(info.signal, spread.median), 12) +
                                       ShortValue(info.signal, spread.highest) + "\n";
    }
    text += TextsOf(entry);
  }
  return text;
}

nlohmann::ordered_json Explanations::Json(std::span<const AppliedRule> rules) const {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const Image& image : images_) {
    if (!image.entry) continue;
    const FilterEntry& entry = *image.entry;
    Json said = Json::array();
    for (const AppliedRule& rule : rules) {
      said.push_back({{"rule", rule.rule.text},
                      {"effect", rule.rule.keeps ? "keep" : "drop"},
                      {"threshold", JsonValue(rule.rule.signal, rule.threshold)},
                      {"value", rule.ValueJson(entry)},
                      {"drops", rule.Drops(entry)}});
    }
    Json signals = Json::array();
    for (const size_t column : in_order_) {
      const double value = entry.values[column];
      const SignalSpread& spread = spreads_[column];
      Json row = {{"signal", InfoOf(signals_[column]).name},
                  {"value", JsonValue(signals_[column], value)},
                  {"percentile", std::isnan(value) ? Json() : Json(image.places[column])},
                  {"images", spread.images}};
      for (const auto& [name, each] : {std::pair("lowest", spread.lowest), std::pair("median", spread.median),
                                       std::pair("highest", spread.highest)})
        row[name] = spread.images == 0 ? Json() : JsonValue(signals_[column], each);
      signals.push_back(std::move(row));
    }
    Json texts = Json::array();
    for (const PhotoTextInfo& info : AllPhotoTexts()) {
      const std::string& value = entry.texts[static_cast<size_t>(info.text)];
      texts.push_back({{"text", info.name},
                       {"value", value.empty() ? Json() : Json(value)},
                       {"same", value.empty() ? 0 : texts_.Count(info.text, value)},
                       {"images", texts_.images(info.text)}});
    }
    list.push_back({{"path", PrintablePath(entry.file.path)},
                    {"kept", BrokenRules(rules, entry) == 0},
                    {"rules", std::move(said)},
                    {"signals", std::move(signals)},
                    {"texts", std::move(texts)}});
  }
  return list;
}

}  // namespace imgmill
