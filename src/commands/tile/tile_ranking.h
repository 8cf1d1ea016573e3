// The best tiles of an image so far, while its others are still to come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>

#include "imgmill/image/image.h"
#include "imgmill/signals/signal_set.h"
#include "tile_names.h"

namespace imgmill {

/// Signals of a tile, given by its rows.
SignalValues MeasureTile(const Layout& tile, std::span<const uint8_t* const> rows, SignalSet wanted);

/// A score from 0 to 1 that hangs on nothing but the place and the seed, and shows no pattern.
double RandomScore(uint64_t seed, const TilePlace& place);

/// Keeps the `most` best. Of equal ones, the first in rows from the top counts as better; one without a value
/// is the worst.
class TileRanking {
 public:
  /// @param by  the higher the better, but for noise, blockiness and blur
  TileRanking(size_t most, Signal by) : most_(most), by_(by) {}

  /// Of the signal's value, or none: the higher the better.
  double Score(const std::optional<double>& value) const;
  /// Whether such a tile is among the best so far.
  bool Takes(double score, const TilePlace& place) const;
  /// Puts it there. @return the one that is not any more
  std::optional<TilePlace> Put(double score, const TilePlace& place);

 private:
  struct Ranked {
    double score;
    TilePlace place;
    bool operator<(const Ranked& other) const {  // better first
      if (score != other.score) return score > other.score;
      return place.y != other.place.y ? place.y < other.place.y : place.x < other.place.x;
    }
  };
  size_t most_;
  Signal by_;
  std::set<Ranked> best_;
};

}  // namespace imgmill
