// Rules as text: what they mean, where a wrong one goes wrong; thresholds and verdicts by hand.
#include "commands/filter_rule.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "commands/filter_verdict.h"

namespace imgmill {
namespace {

using Comparison = FilterRule::Comparison;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

FilterRule Rule(const std::string& text, bool keeps = true) {
  Result<FilterRule> rule = ParseRule(text, keeps);
  REQUIRE_MESSAGE(rule.ok(), text);
  return *std::move(rule);
}

}  // namespace

TEST_CASE("a rule is a signal, a comparison and a number or percentile, with or without blanks") {
  const FilterRule plain = Rule("blockiness<30");
  CHECK(plain.signal == Signal::kBlockiness);
  CHECK(plain.comparison == Comparison::kLess);
  CHECK(plain.number == 30);
  CHECK_FALSE(plain.percentile);
  const FilterRule spaced = Rule("  short_side \t>=  256.5 ");
  CHECK(spaced.signal == Signal::kShortSide);
  CHECK(spaced.comparison == Comparison::kGreaterOrEqual);
  CHECK(spaced.number == 256.5);
  const FilterRule tenth = Rule("sharpness>p10");
  CHECK(tenth.percentile);
  CHECK(tenth.number == 10);
  CHECK(Rule("noise<=p99.5").number == 99.5);
  const FilterRule half = Rule("megapixels<m0.5");  // half of the 50th percentile
  CHECK(half.percentile);
  CHECK(half.number == 50);
  CHECK(half.factor == 0.5);
  CHECK(Rule("grayscale=false").number == 0);
  CHECK(Rule("has_alpha==true").comparison == Comparison::kEqual);
  CHECK(Rule("has_alpha!=1").comparison == Comparison::kNotEqual);
  CHECK(Rule("brightness>-1e3").number == -1000);
}

TEST_CASE("comparisons at, below and above the threshold") {
  const auto holds = [](const char* sign) {
    const FilterRule rule = Rule(std::string("noise") + sign + "5");
    return std::string{rule.Holds(4, 5) ? 'y' : 'n', rule.Holds(5, 5) ? 'y' : 'n',
                       rule.Holds(6, 5) ? 'y' : 'n'};
  };
  CHECK(holds("<") == "ynn");
  CHECK(holds("<=") == "yyn");
  CHECK(holds(">") == "nny");
  CHECK(holds(">=") == "nyy");
  CHECK(holds("=") == "nyn");
  CHECK(holds("==") == "nyn");
  CHECK(holds("!=") == "yny");
}

TEST_CASE("a wrong rule is told where it is wrong") {
  const auto says = [](const std::string& text) {
    const Result<FilterRule> rule = ParseRule(text, false);
    REQUIRE_MESSAGE(!rule.ok(), text);
    CHECK(rule.error().code == Code::kUsage);
    return rule.error().message;
  };
  CHECK(says(" sharpnes>10") ==
        "--drop \" sharpnes>10\": unknown signal \"sharpnes\"; did you mean \"sharpness\"? (at character 2)");
  CHECK(says("sharpness").ends_with("(at character 10)"));
  CHECK(says("sharpness>").ends_with("(at character 11)"));
  CHECK(says("sharpness>ten").ends_with("(at character 11)"));
  CHECK(says("noise ! 3").ends_with("(at character 7)"));
  CHECK(says("noise<p101").find("p0 to p100") != std::string::npos);
  for (const char* text : {"", " ", "<3", "noise<3x", "noise<<3", "noise<nan", "noise<inf", "noise<1 2",
                           "noise<p", "noise=>3", "noise\xff<3"})
    says(text);
}

TEST_CASE("--max-drop is a share or a number") {
  CHECK(*MostDropped("50%", 30) == 15);
  CHECK(*MostDropped("12.5%", 80) == 10);
  CHECK(*MostDropped("0", 80) == 0);
  CHECK(*MostDropped("7", 5) == 7);
  for (const char* text : {"", "%", "101%", "-1", "1.5", "half"}) CHECK_FALSE(MostDropped(text, 10).ok());
}

TEST_CASE("percentiles are NumPy's") {
  // numpy.percentile([15, 20, 35, 40, 50], [0, 10, 40, 50, 100]) is 15, 17, 29, 35, 50.
  for (const auto& [p, expected] :
       {std::pair{0.0, 15.0}, {10.0, 17.0}, {40.0, 29.0}, {50.0, 35.0}, {100.0, 50.0}}) {
    std::vector<double> values = {40, kNone, 15, 50, 20, kNone, 35};
    CHECK(Percentile(values, p) == doctest::Approx(expected));
  }
  std::vector<double> one = {7};
  CHECK(Percentile(one, 33) == 7);
  std::vector<double> none = {kNone};
  CHECK(std::isnan(Percentile(none, 50)));
}

TEST_CASE("verdicts: every --keep must hold, no --drop may, and no value holds nothing") {
  MemoryOptions options;
  Result<std::unique_ptr<MemoryManager>> memory = MemoryManager::Create(options);
  REQUIRE(memory.ok());
  std::vector<Signal> signals;
  std::vector<AppliedRule> rules =
      AssignColumns({Rule("sharpness>p50"), Rule("width>=100"), Rule("sharpness>90", false)}, signals);
  REQUIRE(signals == std::vector<Signal>{Signal::kSharpness, Signal::kWidth});
  const std::vector<std::vector<double>> columns = {{10, 20, kNone, 95, 30}, {100, 99, 100, 100, 100}};
  FilterTable entries;
  for (size_t i = 0; i < 5; ++i) entries.Add({{}, {}, {}, {columns[0][i], columns[1][i]}});
  const StopFlag stop;
  REQUIRE(FindThresholds(entries, rules, **memory, stop).ok());
  CHECK(rules[0].threshold == 25);  // the median of 10, 20, 30, 95
  const auto broken = [&](uint64_t i) { return BrokenRules(rules, entries.At(i).value()); };
  CHECK(broken(0) == 0b001);
  CHECK(broken(1) == 0b011);
  CHECK(broken(2) == 0b001);  // it cannot be sharper than anything
  CHECK(broken(3) == 0b100);
  CHECK(broken(4) == 0);
  CHECK(WhyDropped(rules[0], 10) == "sharpness 10 fails sharpness>p50 (25)");
  CHECK(WhyDropped(rules[0], kNone) == "no sharpness, the image is too small: fails sharpness>p50");
  CHECK(WhyDropped(rules[2], 95) == "sharpness 95 meets --drop sharpness>90");
}

}  // namespace imgmill
