// Scores by a quality signal, in an ordered set of bounded size.
#include "tile_ranking.h"

#include <limits>

namespace imgmill {
namespace {

bool LessIsBetter(Signal signal) {
  return signal == Signal::kNoise || signal == Signal::kBlockiness || signal == Signal::kBlur;
}

/// One step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): every bit of the result hangs on every bit.
uint64_t Mixed(uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9U;
  value = (value ^ value >> 27) * 0x94D049BB133111EBU;
  return value ^ value >> 31;
}

}  // namespace

double RandomScore(uint64_t seed, const TilePlace& place) {
  const uint64_t mixed =
      Mixed(Mixed(Mixed(seed) ^ static_cast<uint64_t>(place.x)) ^ static_cast<uint64_t>(place.y));
  return static_cast<double>(mixed >> 11) * 0x1p-53;
}

SignalValues MeasureTile(const Layout& tile, std::span<const uint8_t* const> rows, SignalSet wanted) {
  SignalMeter meter(tile, wanted);
  // The rows lie in a ring or are repeated: each run of equal distances is one strip.
  for (size_t first = 0; first < rows.size();) {
    size_t end = first + 1;
    const ptrdiff_t step = end < rows.size() ? rows[end] - rows[first] : 0;
    if (step >= 0) {
      while (end < rows.size() && rows[end] - rows[end - 1] == step) ++end;
    }
    ImageView strip{rows[first], tile, static_cast<size_t>(step < 0 ? 0 : step)};
    strip.layout.height = static_cast<int64_t>(end - first);
    meter.Add(strip);
    first = end;
  }
  return meter.Finish();
}

double TileRanking::Score(const std::optional<double>& value) const {
  if (!value) return -std::numeric_limits<double>::infinity();
  return LessIsBetter(by_) ? -*value : *value;
}

bool TileRanking::Takes(double score, const TilePlace& place) const {
  return best_.size() < most_ || Ranked{score, place} < *best_.rbegin();
}

std::optional<TilePlace> TileRanking::Put(double score, const TilePlace& place) {
  best_.insert({score, place});
  if (best_.size() <= most_) return std::nullopt;
  const TilePlace worst = best_.rbegin()->place;
  best_.erase(std::prev(best_.end()));
  return worst;
}

}  // namespace imgmill
