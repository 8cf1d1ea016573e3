// Places and values as plain numbers, in the signals' order.
#include "tile_signals.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "tile_rules.h"

namespace imgmill {

SignalSet ChoosingSignals(const TileOptions& options) {
  const Result<std::vector<FilterRule>> rules = TileRules(options);
  SignalSet signals = rules ? SignalsOf(*rules) : SignalSet();  // checked before
  const Result<Signal> by = SignalFromName(options.by);
  if (options.best > 0 && by) signals.Insert(*by);  // chance is none
  return signals;
}

TileSignals::TileSignals(SignalSet signals) : set_(signals) {
  for (const SignalInfo& info : AllSignals()) {
    if (signals.Contains(info.signal)) signals_.push_back(info.signal);
  }
}

void TileSignals::Put(const TilePlace& place, const SignalValues& values) {
  std::vector<double>& row = values_[{place.y, place.x}];
  row.clear();
  for (const Signal signal : signals_)
    row.push_back(values[signal].value_or(std::numeric_limits<double>::quiet_NaN()));
}

void TileSignals::KeepOnly(std::span<const TilePlace> places) {
  decltype(values_) kept;
  for (const TilePlace& place : places) {
    if (auto found = values_.extract({place.y, place.x})) kept.insert(std::move(found));
  }
  values_ = std::move(kept);
}

nlohmann::ordered_json TileSignals::Of(const TilePlace& place) const {
  nlohmann::ordered_json line;
  const auto found = values_.find({place.y, place.x});
  if (found == values_.end()) return line;
  for (size_t i = 0; i < signals_.size(); ++i) {
    const double value = found->second[i];
    line[std::string(InfoOf(signals_[i]).name)] =
        std::isnan(value) ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
  }
  return line;
}

std::string TileSignals::Pack() const {
  std::string packed;
  const auto append = [&](const auto& number) {
    packed.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  for (const auto& [place, values] : values_) {
    append(place.first), append(place.second);
    for (const double value : values) append(value);
  }
  return packed;
}

bool TileSignals::Unpack(std::string_view packed) {
  values_.clear();
  const size_t row = 2 * sizeof(int64_t) + signals_.size() * sizeof(double);
  if (packed.size() % row != 0) return false;
  for (; !packed.empty(); packed.remove_prefix(row)) {
    int64_t place[2];
    std::memcpy(place, packed.data(), sizeof place);
    std::vector<double>& values = values_[{place[0], place[1]}];
    values.resize(signals_.size());
    if (!values.empty()) std::memcpy(values.data(), packed.data() + sizeof place, row - sizeof place);
  }
  return true;
}

}  // namespace imgmill
