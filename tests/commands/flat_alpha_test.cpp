// Alpha that a network must not touch: by brute force over the neighbours, and as a user sees it.
#include "commands/flat_alpha.h"

#include <doctest/doctest.h>

#include <random>

#include "commands/program.h"
#include "drawn_picture.h"

namespace imgmill::process_test {
namespace {

uint8_t AlphaAt(const Image& image, int64_t y, int64_t x) {
  return image.row(y)[(x + 1) * image.layout().bands - 1];
}

/// By the words of the header: all neighbours that far, as far as the image goes.
bool IsFlat(const Image& image, int64_t y, int64_t x) {
  const Layout& layout = image.layout();
  for (int64_t row = std::max<int64_t>(0, y - kFlatReach); row <= std::min(layout.height - 1, y + kFlatReach);
       ++row) {
    for (int64_t column = std::max<int64_t>(0, x - kFlatReach);
         column <= std::min(layout.width - 1, x + kFlatReach); ++column) {
      if (AlphaAt(image, row, column) != AlphaAt(image, y, x)) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("alpha is kept where all neighbours have it, however the image is cut into regions") {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    const auto up_to = [&](int most) { return std::uniform_int_distribution<int>(1, most)(random); };
    const int64_t width = up_to(40), height = up_to(40), step_x = up_to(60), step_y = up_to(60);
    const int bands = round % 2 == 0 ? 4 : 2;
    // Fields of one alpha each, and some single pixels.
    const Image image = Draw(width, height, bands, [&](int64_t x, int64_t y, int band) {
      return band < bands - 1  ? 10.0
             : up_to(200) == 1 ? 3.0
                               : static_cast<double>((x / step_x + y / step_y) * 90 + 50);
    });
    const int64_t scale = up_to(3), rows = up_to(20);
    Layout enlarged = image.layout();
    enlarged.width *= scale;
    enlarged.height *= scale;
    Image found(enlarged);
    std::fill_n(found.row(0), enlarged.row_bytes() * static_cast<size_t>(enlarged.height), uint8_t{200});
    for (int64_t first = 0; first < height; first += rows) {
      Region region;
      const int64_t from = std::max<int64_t>(0, first - kFlatReach);
      region.own_rows = std::min(rows, height - first);
      region.context_above = first - from;
      region.view = image.view();
      region.view.data = image.row(from);
      region.view.layout.height = std::min(height, first + region.own_rows + kFlatReach) - from;
      KeepFlatAlpha(region, scale, {found.row(first * scale), enlarged});
    }
    int64_t wrong = 0;
    for (int64_t y = 0; y < enlarged.height; ++y) {
      for (int64_t x = 0; x < enlarged.width; ++x) {
        const int wanted = IsFlat(image, y / scale, x / scale) ? AlphaAt(image, y / scale, x / scale) : 200;
        if (AlphaAt(found, y, x) != wanted || found.row(y)[x * bands] != 200) ++wrong;
      }
    }
    CHECK(wrong == 0);
    CHECK(IsAlphaFlat(image.view(), 0, width) == [&] {
      for (int64_t y = 0; y < height; ++y) {
        for (int64_t x = 0; x < width; ++x) {
          if (AlphaAt(image, y, x) != AlphaAt(image, 0, 0)) return false;
        }
      }
      return true;
    }());
  }
}

TEST_CASE("an opaque picture is opaque behind a network, tiled or not, and an even alpha stays what it is") {
  const ModelParts parts = FindModel();
  if (!parts.missing.empty()) {
    MESSAGE("SKIPPED: " << parts.missing);
    return;
  }
  const TestFolder where;
  const auto colours = [](int64_t x, int64_t y, int band) {
    return static_cast<double>((x * 3 + y * 5 + band * 40) % 256);
  };
  for (const int alpha : {255, 77, 0})
    WritePicture(where / ("in/" + std::to_string(alpha) + ".png"),
                 Draw(90, 70, 4, [&](int64_t x, int64_t y, int band) {
                   return band == 3 ? alpha : colours(x, y, band);
                 }));
  WritePicture(where / "in/halves.png", Draw(90, 70, 4, [&](int64_t x, int64_t y, int band) {
                 return band == 3 ? (x < 30 ? 255.0 : 0.0) : colours(x, y, band);
               }));
  for (const char* tile : {"0", "32"}) {
    const std::string out = where / ("out" + std::string(tile));
    const ProcessResult ran =
        Run({"upscale", where / "in", "-o", out, "--model", "own:sr-x2", "--tile", tile});
    INFO(ran.err);
    REQUIRE(ran.exit_code == 0);
    for (const int alpha : {255, 77, 0}) {
      const Image image = LoadImage(out + "/" + std::to_string(alpha) + ".png", {});
      REQUIRE(image.layout().bands == 4);
      int64_t others = 0;
      for (int64_t y = 0; y < image.layout().height; ++y) {
        for (int64_t x = 0; x < image.layout().width; ++x) others += AlphaAt(image, y, x) != alpha ? 1 : 0;
      }
      CHECK(others == 0);
    }
    const Image halves = LoadImage(out + "/halves.png", {});
    for (const int64_t y : {0, 70, 139}) {
      CHECK(AlphaAt(halves, y, 2 * (30 - kFlatReach) - 1) == 255);
      CHECK(AlphaAt(halves, y, 2 * (30 + kFlatReach)) == 0);
      CHECK(AlphaAt(halves, y, 59) > 128);
      CHECK(AlphaAt(halves, y, 60) < 128);
    }
  }
}

}  // namespace imgmill::process_test
