// Rules as text: what they mean, where a wrong one goes wrong; thresholds and verdicts by hand.
#include "commands/filter/filter_rule.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "commands/filter/filter_verdict.h"
#include "commands/filter/rule_text.h"
#include "commands/text_counts.h"

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

TEST_CASE("where images are dropped by several rules, the sums say so") {
  std::vector<AppliedRule> rules(2);
  rules[0].rule = Rule("short_side>=96");
  rules[0].dropped = 1;
  rules[1].rule = Rule("blockiness<60");
  rules[1].dropped = 4;
  CHECK(DroppedByRule(rules, 5) == "short_side>=96: 1, blockiness<60: 4");
  CHECK(DroppedByRule(rules, 4) == "short_side>=96: 1, blockiness<60: 4; some by several rules");
}

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
  for (size_t i = 0; i < 5; ++i) entries.Add({{}, {}, {}, {columns[0][i], columns[1][i]}, {}});
  const StopFlag stop;
  REQUIRE(FindThresholds(entries, rules, **memory, stop).ok());
  CHECK(rules[0].threshold == 25);  // the median of 10, 20, 30, 95
  const auto broken = [&](uint64_t i) { return BrokenRules(rules, entries.At(i).value()); };
  CHECK(broken(0) == 0b001);
  CHECK(broken(1) == 0b011);
  CHECK(broken(2) == 0b001);  // it cannot be sharper than anything
  CHECK(broken(3) == 0b100);
  CHECK(broken(4) == 0);
  const auto why = [&](size_t rule, uint64_t i) { return WhyDropped(rules[rule], entries.At(i).value()); };
  CHECK(why(0, 0) == "sharpness 10 fails sharpness>p50 (25)");
  CHECK(why(0, 2) == "no sharpness, the image is too small: fails sharpness>p50");
  CHECK(why(2, 3) == "sharpness 95 meets --drop sharpness>90");
}

TEST_CASE("a text rule is a name, = or !=, and a pattern in quotes or without") {
  const FilterRule camera = Rule(" camera =~ \"NIKON*\" ");
  REQUIRE(camera.photo_text == PhotoText::kCamera);
  CHECK(camera.comparison == Comparison::kEqual);
  CHECK(camera.pattern == "NIKON*");
  CHECK(camera.field() == "camera");
  CHECK(Rule("lens='24-70'").pattern == "24-70");
  CHECK(Rule("software != Adobe Photoshop* ").pattern == "Adobe Photoshop*");
  CHECK(Rule("software!~x").comparison == Comparison::kNotEqual);
  CHECK(Rule("software==\"a\\\"b<=c\"").pattern == "a\\\"b<=c");
  CHECK(Rule("has( lens )").comparison == Comparison::kHas);
  CHECK(Rule("has(jpeg_quality)").signal == Signal::kJpegQuality);
}

TEST_CASE("a wrong rule on EXIF is told where it is wrong") {
  const auto says = [](const std::string& text) {
    const Result<FilterRule> rule = ParseRule(text, true);
    REQUIRE_MESSAGE(!rule.ok(), text);
    return rule.error().message;
  };
  CHECK(says("camra=x").find("did you mean \"camera\"? (at character 1)") != std::string::npos);
  CHECK(says("camera>x") == "--keep \"camera>x\": camera is a text: compare it by = or != (at character 7)");
  CHECK(says("iso=~4*").ends_with("are for texts, such as camera (at character 4)"));
  CHECK(says("camera=").ends_with("(at character 8)"));
  CHECK(says("camera=\"\"").ends_with("(at character 8)"));
  CHECK(says("camera=\"x").ends_with("expected a \" at the end (at character 10)"));
  CHECK(says("camera=\"x\" y").ends_with("nothing follows the text (at character 11)"));
  CHECK(says("camera=\xff").find("UTF-8") != std::string::npos);
  CHECK(says("has(camera").ends_with("(at character 11)"));
  CHECK(says("has(camera) x").ends_with("(at character 13)"));
  CHECK(says("has()").ends_with("(at character 5)"));
  for (const char* text : {"date>5", "date>2015-13", "date=2015-02-30", "date=2015-6-1", "date=m0.5",
                           "date=2015-01-01T12", "date=2015-01-01T24:00", "date=15-01-01", "date=true1"})
    CHECK(says(text).find("expected a date") != std::string::npos);
}

TEST_CASE("a pattern takes the whole text, of letters without their case") {
  CHECK(MatchesPattern("NIKON D850", "nikon*"));
  CHECK(MatchesPattern("NIKON D850", "*d8?0"));
  CHECK(MatchesPattern("NIKON D850", "*"));
  CHECK(MatchesPattern("NIKON D850", "N*O*D*0"));
  CHECK(MatchesPattern("aab", "*ab"));  // the first a is the star's
  CHECK(MatchesPattern("24-70", "24-70**"));
  CHECK(MatchesPattern("a*b", "a\\*b"));
  CHECK(MatchesPattern("a\\b", "a\\\\b"));
  CHECK_FALSE(MatchesPattern("axb", "a\\*b"));
  CHECK_FALSE(MatchesPattern("NIKON D850", "nikon"));
  CHECK_FALSE(MatchesPattern("NIKON D850", "D850"));
  CHECK_FALSE(MatchesPattern("D850", "D850?"));
  CHECK_FALSE(MatchesPattern("", "?"));
  // One character each, of two, three and four bytes; of Latin-1, which is not UTF-8, a byte.
  CHECK(MatchesPattern("Caf\u00E9", "Caf?"));
  CHECK(MatchesPattern("\u76F8\u673A 5", "?? 5"));
  CHECK(MatchesPattern("\U0001F4F7", "?"));
  CHECK_FALSE(MatchesPattern("Caf\u00E9", "Caf??"));
  CHECK_FALSE(MatchesPattern("\u76F8bc", "*??bc"));  // a star does not end inside of a character
  CHECK(MatchesPattern("Caf\xE9", "Caf?"));
  CHECK(MatchesPattern("\xE9\xE9", "??"));
  CHECK_FALSE(MatchesPattern("\xE9\xE9", "?"));
  // Many stars that never fit must not take forever.
  CHECK_FALSE(MatchesPattern(std::string(200, 'a'), "*a*a*a*a*a*a*a*a*a*a*a*a*b"));
}

TEST_CASE("a date stands for all of its year, month, day or minute") {
  // Seconds by `date -u -d 2015-06-01 +%s`.
  constexpr double kFirstOfJune = 1433116800;
  const auto holds = [](const std::string& text, double value) {
    const FilterRule rule = Rule(text);
    return rule.Holds(value, rule.number);
  };
  CHECK(Rule("date>=2015-06-01").number == kFirstOfJune);
  CHECK(DateText(kFirstOfJune + 3661) == "2015-06-01T01:01:01");
  CHECK(DateText(-1) == "1969-12-31T23:59:59");
  CHECK(holds("date>=2015-06-01", kFirstOfJune));
  CHECK_FALSE(holds("date>=2015-06-01", kFirstOfJune - 1));
  CHECK(holds("date<=2015-06-01", kFirstOfJune + 86399));
  CHECK_FALSE(holds("date<=2015-06-01", kFirstOfJune + 86400));
  CHECK_FALSE(holds("date>2015-06-01", kFirstOfJune + 86399));
  CHECK(holds("date>2015-06-01", kFirstOfJune + 86400));
  CHECK(holds("date=2015-06", kFirstOfJune + 29 * 86400));
  CHECK_FALSE(holds("date=2015-06", kFirstOfJune + 30 * 86400));
  CHECK(holds("date!=2015", kFirstOfJune - 200 * 86400.0));
  CHECK_FALSE(holds("date!=2015", kFirstOfJune));
  CHECK(holds("date=2015-06-01T01:01", kFirstOfJune + 3661));
  CHECK(holds("date=2015-06-01 01:01:01", kFirstOfJune + 3661));
  CHECK_FALSE(holds("date=2015-06-01 01:01:02", kFirstOfJune + 3661));
  CHECK(Rule("date=2016-02-29").span == 86400);
  CHECK(Rule("date<p10").percentile);
}

TEST_CASE("of texts, too, no value holds nothing") {
  std::vector<Signal> signals;
  const std::vector<AppliedRule> rules =
      AssignColumns({Rule("software!=\"Adobe*\""), Rule("camera=NIKON*", false), Rule("has(lens)")}, signals);
  CHECK(signals.empty());
  const auto broken = [&](std::vector<std::string> texts) {
    return BrokenRules(rules, {{}, {}, {}, {}, std::move(texts)});
  };
  CHECK(broken({"Canon X", "50 mm", "Gimp"}) == 0);
  CHECK(broken({"Nikon D1", "50 mm", "Gimp"}) == 0b010);
  CHECK(broken({"", "50 mm", "adobe 5"}) == 0b001);
  CHECK(broken({"", "", ""}) == 0b101);
  const FilterEntry entry{{}, {}, {}, {}, {"Nikon D1", "", "Adobe 5"}};
  CHECK(WhyDropped(rules[0], entry) == "software Adobe 5 fails software!=\"Adobe*\"");
  CHECK(WhyDropped(rules[1], entry) == "camera Nikon D1 meets --drop camera=NIKON*");
  CHECK(WhyDropped(rules[2], entry) == "no lens, no EXIF tells it: fails has(lens)");
}

TEST_CASE("a text that is shown with escapes is compared as it is") {
  const FilterRule byte = Rule("camera=Caf?"), backslash = Rule("camera=a\\\\b");
  CHECK_FALSE(byte.Drops(std::string("Caf\\xe9")));
  CHECK(byte.Drops(std::string("Caf\\xe9\\xe9")));
  CHECK_FALSE(backslash.Drops(std::string("a\\\\b")));
}

TEST_CASE("texts are counted, the most frequent first, and not without end") {
  TextCounts counts;
  counts.Add({"B", "", "x"});
  counts.Add({"A", "", ""});
  counts.Add({"B", "", ""});
  counts.Add({"C", "", ""});
  CHECK(counts.images(PhotoText::kCamera) == 4);
  CHECK(counts.images(PhotoText::kLens) == 0);
  CHECK(counts.Count(PhotoText::kCamera, "B") == 2);
  using Most = std::vector<std::pair<std::string, uint64_t>>;
  CHECK(counts.Most(PhotoText::kCamera, 2) == Most{{"B", 2}, {"A", 1}});
  for (size_t i = 0; i < 2 * TextCounts::kMostDifferent; ++i) counts.Add({"", std::to_string(i), ""});
  CHECK(counts.images(PhotoText::kLens) == 2 * TextCounts::kMostDifferent);
  CHECK(counts.Most(PhotoText::kLens, 1 << 20).size() == TextCounts::kMostDifferent);
}

}  // namespace imgmill
