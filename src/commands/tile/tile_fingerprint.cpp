// What determines which tiles there are and what is in them, as text.
#include "tile_fingerprint.h"

#include "base/lenient_mark.h"
#include "imgmill/image/reader.h"
#include "tile_pairs.h"
#include "tile_rules.h"

namespace imgmill {
namespace {

std::string ChoiceOf(const TileOptions& options) {
  return options.by == kByChance ? "chance " + std::to_string(options.seed) + " " : options.by + " on white ";
}

/// The rules as text, for a fingerprint.
std::string TextOf(const TileOptions& options) {
  std::string text;
  for (const FilterRule& rule : CheckedTileRules(options)) text += rule.flag() + (" " + rule.text) + " ";
  return text;
}

/// Those of the signals by which tiles are chosen, where their formulas have changed since the first.
std::string VersionsOf(const TileOptions& options) {
  SignalSet used = SignalsOf(CheckedTileRules(options));
  if (options.best > 0 && options.by != kByChance) used.Insert(RankingSignal(options));
  std::string text;
  for (const SignalInfo& info : AllSignals()) {
    if (used.Contains(info.signal) && info.version > 1) text += VersionedName(info.signal) + " ";
  }
  return text;
}

/// Where tiles of several partners go; that of one is always the same.
std::string PairText(const TileOptions& options) {
  std::string text = options.crop_pairs ? "cropped " : "";
  if (options.pairs.size() < 2) return text;
  for (const std::string& folder : LowFolders(options)) text += folder + " ";
  return text;
}

}  // namespace

Signal RankingSignal(const TileOptions& options) {
  const Result<Signal> signal = SignalFromName(options.by);
  return signal ? *signal : Signal::kSharpness;  // checked before
}

std::vector<FilterRule> CheckedTileRules(const TileOptions& options) {
  Result<std::vector<FilterRule>> rules = TileRules(options);
  return rules ? *std::move(rules) : std::vector<FilterRule>();  // checked before
}

std::string TileFingerprint(const TileOptions& options, bool lenient) {
  // What was made of the readable part of a broken file is no result where such files are refused.
  return "tile/1 " + std::to_string(options.size) + "+" + std::to_string(options.Step()) + " " +
         options.edge + " " +
         (options.best > 0 ? std::to_string(options.best) + " by " + ChoiceOf(options) : "") +
         TextOf(options) + VersionsOf(options) + (options.pairs.empty() ? "" : "pair ") + PairText(options) +
         (options.min_distance > 0 ? "apart " + std::to_string(options.min_distance) + " " : "") +
         (options.keep_metadata ? "metadata/2 " : "") + options.file.Text() + " " + ImageLibraryVersions() +
         std::string(LenientMark(lenient));
}

bool IsTileOfPairs(std::string_view fingerprint) {
  return fingerprint.find(" pair ") != std::string_view::npos;
}

}  // namespace imgmill
