// Where a value stands among others, and which thresholds are suggested, by hand.
#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "commands/filter/filter_distribution.h"
#include "commands/filter/filter_suggest.h"
#include "commands/filter/filter_verdict.h"

namespace imgmill {
namespace {

FilterTable EntriesOf(const std::vector<std::vector<double>>& rows) {
  FilterTable entries;
  for (const std::vector<double>& row : rows) {
    FilterEntry entry;
    entry.values = row;
    entries.Add(entry);
  }
  return entries;
}

}  // namespace

TEST_CASE("a place is the percentile that gives the value") {
  const std::vector<double> values = {1, 2, 4, 8, 16, 32};
  std::vector<double> reordered = values;
  const Distribution all(values);
  for (const double value : values) {
    CHECK(all.At(all.Place(value)) == doctest::Approx(value));
    CHECK(all.At(all.Place(value)) == doctest::Approx(Percentile(reordered, all.Place(value))));
  }
  CHECK(all.Place(1) == 0);
  CHECK(all.Place(32) == 100);
  CHECK(all.Place(4) == 40);  // two of the five others are below
  CHECK(all.Place(0.5) == 0);
  CHECK(all.Place(99) == 100);
}

TEST_CASE("images of one value share the middle of their places") {
  const std::vector<double> values = {0, 0, 0, 1};
  const Distribution all(values);
  CHECK(all.Place(0) == doctest::Approx(100.0 / 3));  // places 0, 33.3 and 66.7
  CHECK(all.Place(1) == 100);
  CHECK(all.Below(1) == 3);
  CHECK(all.Above(0) == 1);
  CHECK(Distribution(std::span(values).first(1)).Place(0) == 50);
}

TEST_CASE("thresholds are rounded to three digits, towards dropping less") {
  CHECK(RoundedDown(137.556) == 137);
  CHECK(RoundedUp(137.1) == 138);
  CHECK(RoundedDown(0.0494052) == 0.0494);
  CHECK(RoundedUp(0.0494052) == 0.0495);
  CHECK(RoundedDown(7556.91) == 7550);
  CHECK(RoundedUp(7556.91) == 7560);
  CHECK(RoundedDown(-1.2345) == -1.24);
  CHECK(RoundedUp(0) == 0);
  CHECK(RoundedDown(256) == 256);
}

TEST_CASE("suggested rules cut off the bad end, and what has no value stays") {
  // Sharpness 1 to 99, and one image without; noise of one image stands out; grayscale has no bad end.
  std::vector<std::vector<double>> rows;
  for (int i = 1; i < 100; ++i) rows.push_back({static_cast<double>(i), i == 50 ? 30.0 : 2.0, 1.0});
  rows.push_back({std::numeric_limits<double>::quiet_NaN(), 2.0, 0.0});
  const FilterTable entries = EntriesOf(rows);
  const auto manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  Suggestions suggestions(5, {Signal::kSharpness, Signal::kNoise, Signal::kGrayscale});
  StopFlag stop;
  const Status read =
      ForEachDistribution(entries, 3, **manager, stop,
                          [&](size_t column, const Distribution& all) { suggestions.Add(column, all); });
  REQUIRE(read.ok());
  REQUIRE(suggestions.Count(entries).ok());
  const auto json = suggestions.Json();
  REQUIRE(json["rules"].size() == 2);
  // 5 % of 99 are four images. Of the noise, everything above 2 is unusual.
  CHECK(json["rules"][0]["rule"] == "sharpness<5");
  CHECK(json["rules"][0]["dropped"] == 4);
  CHECK(json["rules"][1]["rule"] == "noise>2");
  CHECK(json["rules"][1]["dropped"] == 1);
  CHECK(json["dropped"] == 5);
  for (const auto& each : json["rules"]) {
    CHECK(ParseRule(each["rule"].get<std::string>(), false).ok());
  }
}

}  // namespace imgmill
