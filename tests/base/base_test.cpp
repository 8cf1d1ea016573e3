// Byte sizes, path text and spelling: expected values by hand.
#include <doctest/doctest.h>

#include <array>

#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/spelling.h"

using namespace imgmill;

TEST_CASE("byte sizes are read with binary and decimal units") {
  CHECK(ParseByteSize("512MiB").value() == 536870912);
  CHECK(ParseByteSize("2G").value() == 2147483648);
  CHECK(ParseByteSize("1.5 GB").value() == 1500000000);
  CHECK(ParseByteSize("77").value() == 77);
  for (const char* bad : {"", "MiB", "12X", "-1", "12MiBs", "1e30G", "nan"}) {
    CAPTURE(bad);
    const Result<size_t> result = ParseByteSize(bad);
    REQUIRE(!result);
    CHECK(result.error().code == Code::kUsage);
  }
}

TEST_CASE("byte sizes are printed in three figures") {
  CHECK(FormatByteSize(0) == "0 B");
  CHECK(FormatByteSize(1536) == "1.5 KiB");
  CHECK(FormatByteSize(256 * kMiB) == "256 MiB");
  CHECK(FormatByteSize(kGiB) == "1 GiB");
  CHECK(FormatByteSize(1023 * kMiB) == "1 GiB");
}

TEST_CASE("any bytes survive the way to text and back") {
  std::string all;
  for (int i = 1; i < 256; ++i) all += static_cast<char>(i);
  all += "schön \\x41 \xF0\x9F\x98\x80 \xED\xA0\x80 \xC0\xAF";
  const std::string text = PrintablePath(all);
  CHECK(text.find('\n') == std::string::npos);
  CHECK(PathFromPrintable(text) == all);
  CHECK(PrintablePath("a\nb") == "a\\x0ab");
  CHECK(PrintablePath("caf\xE9") == "caf\\xe9");
  CHECK(PrintablePath("schön") == "schön");
}

TEST_CASE("a mistyped word finds its neighbour") {
  const std::array<std::string, 3> words = {"dedup", "upscale", "run"};
  CHECK(DidYouMean("dedpu", words) == "dedup");
  CHECK(DidYouMean("upscal", words) == "upscale");
  CHECK(DidYouMean("frobnicate", words) == std::nullopt);
}
