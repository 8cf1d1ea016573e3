// The signals by which tiles were chosen, and their values: what the list of tiles says of each.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "imgmill/commands/tile.h"
#include "imgmill/signals/signal_set.h"
#include "tile_names.h"

namespace imgmill {

/// Those that the options' rules and ranking are about.
SignalSet ChoosingSignals(const TileOptions& options);

/// Values of some tiles of one image.
class TileSignals {
 public:
  explicit TileSignals(SignalSet signals);

  const SignalSet& signals() const { return set_; }
  bool empty() const { return signals_.empty(); }
  void Put(const TilePlace& place, const SignalValues& values);
  void Remove(const TilePlace& place) { values_.erase({place.y, place.x}); }
  void KeepOnly(std::span<const TilePlace> places);

  /// {"sharpness": 12.5, ...}, null for a signal without a value; null for a tile that is not known.
  nlohmann::ordered_json Of(const TilePlace& place) const;

  std::string Pack() const;
  /// False if these are no values of the same signals; then there are none.
  bool Unpack(std::string_view packed);

 private:
  SignalSet set_;
  std::vector<Signal> signals_;
  std::map<std::pair<int64_t, int64_t>, std::vector<double>> values_;  ///< NaN for none
};

}  // namespace imgmill
