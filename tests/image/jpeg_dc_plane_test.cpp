// Grey at 1/8 from DC coefficients alone, against libjpeg-turbo's own decoding to that: every sample, and
// nothing where that one has anything to say about the file.
#include "image/jpeg/jpeg_dc_plane.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "image/jpeg/jpeg_decoder.h"
#include "image_test.h"
#include "plain_jpeg.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

/// Whether there is a plane, which is then that of libjpeg.
bool HasRightPlane(const std::string& path) {
  const std::string text = ReadFile(path);
  const std::span bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  const std::optional<PoolArray<uint8_t>> plane = DcPlaneOf(path, bytes);
  if (!plane) return false;
  const std::optional<std::vector<uint8_t>> expected = PlainGreyEighth(bytes);
  REQUIRE_MESSAGE(expected, "libjpeg refuses it, or warns: " << path);
  CHECK(std::equal(plane->begin(), plane->end(), expected->begin(), expected->end()));
  return true;
}

/// Flat parts, edges and noise of `noise` levels.
std::vector<uint8_t> Pixels(const JpegKind& kind, int noise) {
  std::mt19937 random(7);
  std::vector<uint8_t> pixels;
  for (int y = 0; y < kind.height; ++y) {
    for (int x = 0; x < kind.width * kind.bands; ++x) {
      const int base = (x / 40 + y / 24) % 3 == 0 ? 250 : (x * 3 + y * 2) % 256;
      const int off = noise == 0 ? 0 : static_cast<int>(random() % static_cast<unsigned>(noise)) - noise / 2;
      pixels.push_back(static_cast<uint8_t>(std::clamp(base + off, 0, 255)));
    }
  }
  return pixels;
}

}  // namespace

TEST_CASE("grey at 1/8 of every kind of sequential JPEG is libjpeg's") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.jpg";
  const std::pair<int, int> sizes[] = {{1, 1}, {8, 8}, {9, 17}, {160, 120}, {333, 250}};
  const std::pair<int, int> samplings[] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}};
  for (const auto& [width, height] : sizes) {
    for (const auto& [across, down] : samplings) {
      for (const int bands : {1, 3}) {
        for (const int quality : {1, 25, 90, 100}) {
          for (const int restart : {0, 1, 5}) {
            JpegKind kind{width, height, bands, quality, across, down, restart};
            kind.optimal = quality == 25;
            const int noise = quality == 100 ? 256 : quality / 3;
            WriteFile(path, PlainJpeg(kind, Pixels(kind, noise)));
            CAPTURE(width);
            CAPTURE(across);
            CAPTURE(down);
            CAPTURE(bands);
            CAPTURE(quality);
            CAPTURE(restart);
            CHECK(HasRightPlane(path));
          }
        }
      }
    }
  }
}

TEST_CASE("grey at 1/8 of real files is libjpeg's, and most photos are read without it") {
  if (!HaveAssets()) return;
  int photos = 0, files = 0, planes = 0;
  for (const std::string& path : AssetFiles({"photos", "odd", "sr"})) {
    if (!ReadFile(path).starts_with("\xFF\xD8\xFF")) continue;
    CAPTURE(path);
    ++files;
    const bool plane = HasRightPlane(path);
    planes += plane;
    if (path.find("/photos/bsds500-val/") == std::string::npos) continue;
    ++photos;
    CHECK(plane);
  }
  MESSAGE(files << " JPEG files, " << planes << " of them without libjpeg");
  CHECK(photos > 0);
}

TEST_CASE("no damage passes for a plane, and what is read all the same is libjpeg's") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.jpg";
  JpegKind kind{90, 70, 3, 80, 2, 2, 0};
  for (const int restart : {0, 3}) {
    kind.restart = restart;
    const std::string whole = PlainJpeg(kind, Pixels(kind, 40));
    for (size_t size = 2; size < whole.size(); ++size) {
      WriteFile(path, whole.substr(0, size));
      CAPTURE(size);
      CHECK_FALSE(HasRightPlane(path));
    }
    std::mt19937 random(static_cast<unsigned>(restart));
    int passed = 0;
    for (int i = 0; i < 6000; ++i) {
      std::string changed = whole;
      changed[2 + random() % (changed.size() - 2)] = static_cast<char>(random());
      WriteFile(path, changed);
      CAPTURE(i);
      passed += HasRightPlane(path);
    }
    MESSAGE(passed << " of 6000 with a changed byte are ordinary files to libjpeg, too");
  }
}

TEST_CASE("what is unusual is left to libjpeg") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.jpg";
  JpegKind kind{64, 64, 3, 90, 2, 2, 0};
  const std::string whole = PlainJpeg(kind, Pixels(kind, 20));
  WriteFile(path, whole);
  REQUIRE(HasRightPlane(path));
  const std::string before_end = whole.substr(0, whole.size() - 2);
  for (const std::string& odd :
       {before_end + "ab\xFF\xD9", before_end + std::string(40, '\0') + "\xFF\xD9",
        before_end + "\xFF\xFF\xD9", before_end + "\xFF\xFE" + std::string("\0\x04no", 4) + "\xFF\xD9",
        before_end}) {
    WriteFile(path, odd);
    CHECK_FALSE(HasRightPlane(path));
  }
  kind.progressive = true;
  WriteFile(path, PlainJpeg(kind, Pixels(kind, 20)));
  CHECK_FALSE(HasRightPlane(path));
  WriteFile(path, whole + "what follows the end is nobody's business");
  CHECK(HasRightPlane(path));
}
