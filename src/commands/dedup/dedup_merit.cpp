// The criteria one by one.
#include "dedup_merit.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace imgmill {
namespace {

struct NamedReason {
  KeepReason reason;
  std::string_view name;   ///< in reports
  std::string_view other;  ///< that --keep-by takes as well
};
constexpr NamedReason kReasons[] = {
    {KeepReason::kReference, "reference", ""},
    {KeepReason::kFolder, "folder", ""},
    {KeepReason::kResolution, "resolution", ""},
    {KeepReason::kColour, "colour", ""},
    {KeepReason::kCompression, "compression", "format"},
    {KeepReason::kBlockiness, "blockiness", ""},
    {KeepReason::kSharpness, "sharpness", ""},
    {KeepReason::kSize, "size", "bytes"},
    {KeepReason::kOldest, "oldest", ""},
    {KeepReason::kPath, "path", ""},
};
constexpr KeepReason kUsual[] = {KeepReason::kResolution, KeepReason::kColour, KeepReason::kCompression,
                                 KeepReason::kSharpness,  KeepReason::kSize,   KeepReason::kPath};
constexpr std::string_view kFolderWord = "folder:";
constexpr size_t kMostFolders = 32;

/// Sharpness in steps of a factor of two. Finer differences between copies come from compression, whose block
/// edges even count as detail; then the larger file is the better witness.
int16_t SharpnessStep(double sharpness) {
  return static_cast<int16_t>(sharpness > 0 ? std::lround(std::log2(sharpness)) : -100);
}

/// In steps of 5 percent: finer differences come from the picture itself.
int16_t BlockinessStep(double percent) {
  return static_cast<int16_t>(std::lround(std::clamp(percent / 5, 0.0, 30000.0)));
}

/// 1 where `a` is better, -1 where `b` is, 0 where it does not decide.
template <typename Number>
int Larger(Number a, Number b) {
  return a == b ? 0 : a > b ? 1 : -1;
}

int Compare(KeepReason reason, uint32_t folder_bit, const Merit& a, const Merit& b) {
  switch (reason) {
    case KeepReason::kReference:
      return Larger(a.in_reference, b.in_reference);
    case KeepReason::kFolder:
      return Larger(a.folders & folder_bit, b.folders & folder_bit);
    case KeepReason::kResolution:
      return a.pixels != b.pixels ? Larger(a.pixels, b.pixels) : Larger(a.short_side, b.short_side);
    case KeepReason::kColour:
      return Larger(a.shows_colour, b.shows_colour);
    case KeepReason::kCompression:
      return Larger(a.fidelity, b.fidelity);
    case KeepReason::kBlockiness:
      return Larger(b.blockiness, a.blockiness);
    case KeepReason::kSharpness:
      return Larger(a.sharpness, b.sharpness);
    case KeepReason::kSize:
      return Larger(a.bytes, b.bytes);
    case KeepReason::kOldest:
      return Larger(b.written_ns, a.written_ns);
    case KeepReason::kPath:
      return Larger(b.is_link, a.is_link);
  }
  return 0;
}

std::optional<KeepReason> ReasonOf(std::string_view word) {
  for (const NamedReason& each : kReasons) {
    const bool own = each.reason == KeepReason::kReference || each.reason == KeepReason::kFolder;
    if (!own && (word == each.name || (!each.other.empty() && word == each.other))) return each.reason;
  }
  return std::nullopt;
}

}  // namespace

std::string_view ToString(KeepReason reason) {
  for (const NamedReason& each : kReasons) {
    if (each.reason == reason) return each.name;
  }
  return "unknown";
}

Merit MeritOf(const DedupEntry& e) {
  return {.pixels = e.width * e.height,
          .bytes = e.bytes,
          .written_ns = e.stamp.mtime_ns,
          .short_side = static_cast<int32_t>(std::min(e.width, e.height)),
          .fidelity = e.notes.fidelity,
          .folders = e.folders,
          .sharpness = SharpnessStep(e.notes.sharpness),
          .blockiness = BlockinessStep(e.blockiness),
          .shows_colour = e.notes.shows_colour != 0,
          .is_link = e.is_link,
          .in_reference = e.in_reference};
}

KeepOrder::KeepOrder() {
  criteria_.push_back({KeepReason::kReference, 0});
  for (const KeepReason reason : kUsual) criteria_.push_back({reason, 0});
}

std::optional<KeepOrder> KeepOrder::Parse(const std::vector<std::string>& words, std::string& wrong) {
  KeepOrder order;
  order.criteria_.resize(1);
  for (const std::string& word : words) {
    if (order.Asks(KeepReason::kPath)) {
      wrong = "path decides whatever is left: nothing can follow it, as \"" + word + "\" does";
      return std::nullopt;
    }
    if (word.starts_with(kFolderWord)) {
      std::string folder = word.substr(kFolderWord.size());
      if (folder.empty() || order.folders_.size() == kMostFolders) {
        wrong = folder.empty() ? "folder: needs a folder, as in folder:originals" : "more than 32 folders";
        return std::nullopt;
      }
      order.criteria_.push_back({KeepReason::kFolder, uint32_t{1} << order.folders_.size()});
      order.folders_.push_back(std::move(folder));
      continue;
    }
    const std::optional<KeepReason> reason = ReasonOf(word);
    if (!reason) {
      wrong =
          "takes resolution, colour, format, blockiness, sharpness, bytes, oldest, path and folder:DIR, not "
          "\"" +
          word + "\"";
      return std::nullopt;
    }
    if (!order.Asks(*reason)) order.criteria_.push_back({*reason, 0});
  }
  for (const KeepReason reason : kUsual) {
    if (!order.Asks(reason) && !order.Asks(KeepReason::kPath)) order.criteria_.push_back({reason, 0});
  }
  return order;
}

bool KeepOrder::Asks(KeepReason reason) const {
  return std::any_of(criteria_.begin(), criteria_.end(),
                     [&](const Criterion& criterion) { return criterion.reason == reason; });
}

bool KeepOrder::IsBetter(const Merit& a, const Merit& b, bool a_is_first, size_t& place) const {
  for (place = 0; place < criteria_.size(); ++place) {
    const int better = Compare(criteria_[place].reason, criteria_[place].folder_bit, a, b);
    if (better != 0) return better > 0;
  }
  place = criteria_.size() - 1;
  return a_is_first;
}

}  // namespace imgmill
