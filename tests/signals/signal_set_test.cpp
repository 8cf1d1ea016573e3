// The table of signals by name, the sets, and values as the catalog keeps them.
#include "imgmill/signals/signal_set.h"

#include <doctest/doctest.h>

#include <set>

namespace imgmill {
namespace {

TEST_CASE("signals are found by name, and a mistyped one is guessed") {
  std::set<std::string_view> names;
  for (const SignalInfo& info : AllSignals()) {
    names.insert(info.name);
    const auto found = SignalFromName(info.name);
    REQUIRE(found.ok());
    CHECK(*found == info.signal);
    CHECK(&InfoOf(info.signal) == &info);
    CHECK(info.version >= 1);
  }
  CHECK(names.size() == kSignalCount);
  CHECK(VersionedName(Signal::kBlockiness) == "blockiness/2");
  const auto guessed = SignalFromName("sharpnes");
  REQUIRE_FALSE(guessed.ok());
  CHECK(guessed.error().code == Code::kUsage);
  CHECK(guessed.error().message == "unknown signal \"sharpnes\"; did you mean \"sharpness\"?");
  CHECK(SignalFromName("xyzzy").error().message.find("(width, height") != std::string::npos);
}

TEST_CASE("the quality of JPEG files is the one they were made with; others have none") {
  // The sample pictures were written by Pillow with these qualities.
  const std::string folder = std::string(IMGMILL_SOURCE_DIR) + "/sample_data/";
  for (const auto& [name, quality] : {std::pair("harbour_q30.jpg", 30), std::pair("bookshelf_blocky.jpg", 14),
                                      std::pair("harbour.jpg", 92), std::pair("holiday/harbour.jpg", 85)}) {
    CAPTURE(name);
    const auto header = Probe(folder + name, ImageLimits{});
    REQUIRE(header.ok());
    CHECK(HeaderSignals(*header)[Signal::kJpegQuality] == quality);
  }
  const auto png = Probe(folder + "poster.png", ImageLimits{});
  REQUIRE(png.ok());
  CHECK_FALSE(HeaderSignals(*png)[Signal::kJpegQuality].has_value());
}

TEST_CASE("a set knows whether pixels are needed") {
  CHECK_FALSE(SignalSet{Signal::kShortSide, Signal::kHasAlpha}.NeedsPixels());
  CHECK(SignalSet{Signal::kShortSide, Signal::kEntropy}.NeedsPixels());
  CHECK_FALSE(SignalSet{}.NeedsPixels());
  SignalSet all = SignalSet::OfPixels();
  for (const SignalInfo& info : AllSignals()) {
    CHECK(all.Contains(info.signal) == info.from_pixels);
    CHECK(SignalSet::OfHeader().Contains(info.signal) ==
          (!info.from_pixels && !info.by_network && !info.from_exif));
    CHECK(SignalSet::OfExif().Contains(info.signal) == info.from_exif);
    if (!info.by_network && !info.from_exif) all.Insert(info.signal);
  }
  CHECK(all == SignalSet::All());
}

TEST_CASE("values come back from their bytes, and only if all that is wanted is there") {
  SignalValues values;
  values[Signal::kWidth] = 640;
  values[Signal::kSharpness] = 0.1;
  const SignalSet stored{Signal::kWidth, Signal::kSharpness, Signal::kBlockiness};  // the last has no value
  const std::string bytes = PackSignals(values, stored);
  SignalValues back;
  REQUIRE(UnpackSignals(bytes, stored, back));
  CHECK(back == values);
  SignalValues some;
  some[Signal::kHeight] = 5;
  REQUIRE(UnpackSignals(bytes, {Signal::kWidth}, some));
  CHECK(some[Signal::kWidth] == 640);
  CHECK(some[Signal::kHeight] == 5);  // what is not wanted stays
  CHECK_FALSE(some[Signal::kSharpness].has_value());
  CHECK_FALSE(UnpackSignals(bytes, {Signal::kWidth, Signal::kNoise}, back));
  CHECK(back == values);
  // Cut anywhere, or of another version: never a wrong value.
  for (size_t length = 0; length < bytes.size(); ++length) {
    CHECK_FALSE(UnpackSignals(std::string_view(bytes).substr(0, length), stored, back));
  }
  std::string other = bytes;
  other.replace(other.find("sharpness/1"), 11, "sharpness/2");
  CHECK_FALSE(UnpackSignals(other, stored, back));
}

TEST_CASE("the header's signals are those of the upright image") {
  ImageHeader header;
  header.width = 600;
  header.height = 400;
  header.orientation = 6;  // a quarter turn
  header.file_bytes = 120'000;
  header.has_alpha = true;
  const SignalValues values = HeaderSignals(header);
  CHECK(values[Signal::kWidth] == 400);
  CHECK(values[Signal::kHeight] == 600);
  CHECK(values[Signal::kShortSide] == 400);
  CHECK(*values[Signal::kAspect] == doctest::Approx(2.0 / 3));
  CHECK(*values[Signal::kMegapixels] == doctest::Approx(0.24));
  CHECK(*values[Signal::kBytesPerPixel] == doctest::Approx(0.5));
  CHECK(values[Signal::kHasAlpha] == 1);
  CHECK_FALSE(values[Signal::kBrightness].has_value());
}

}  // namespace
}  // namespace imgmill
