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
  // U+0085 and U+009B, the next line and the start of a terminal's command; U+2028, a line's end; U+202E and
  // U+2066, which turn the direction of what follows. Their neighbours U+00A0, U+2027 and U+202F are text.
  CHECK(PrintablePath("a\xC2\x85\xC2\x9B") == "a\\xc2\\x85\\xc2\\x9b");
  CHECK(PrintablePath("\xE2\x80\xA8\xE2\x80\xAE\xE2\x81\xA6") ==
        "\\xe2\\x80\\xa8\\xe2\\x80\\xae\\xe2\\x81\\xa6");
  CHECK(PrintablePath("\xC2\xA0\xE2\x80\xA7\xE2\x80\xAF") == "\xC2\xA0\xE2\x80\xA7\xE2\x80\xAF");
  const std::string turned = "a\xE2\x80\xAEgpj.exe";
  CHECK(PathFromPrintable(PrintablePath(turned)) == turned);
}

TEST_CASE("a mistyped word finds its neighbour") {
  const std::array<std::string, 3> words = {"dedup", "upscale", "run"};
  CHECK(DidYouMean("dedpu", words) == "dedup");
  CHECK(DidYouMean("upscal", words) == "upscale");
  CHECK(DidYouMean("frobnicate", words) == std::nullopt);
}
