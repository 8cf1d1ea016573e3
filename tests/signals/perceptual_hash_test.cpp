// The hashes against imagededup's, on formula pictures and on decoded photos, and fed in every kind of strip.
#include "imgmill/signals/perceptual_hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

#include "signals/formula_picture.h"
#include "signals/golden_csv.h"
#include "signals/golden_photo.h"
#include "signals/posed_picture.h"

namespace imgmill {
namespace {

constexpr HashKind kKinds[] = {HashKind::kPhash, HashKind::kDhash, HashKind::kAhash, HashKind::kWhash};

std::string Hex(const Hash256& hash) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(hash[0]));
  return text;
}

// Photos whose pixels are not Pillow's by our decode contract. Everything else must be equal in every bit.
const std::map<std::string, std::string> kOtherPixels = {
    {"scikit-image/chessboard_GRAY_U16.tif", "we scale 16 bits to 8, Pillow clips at 255"},
    {"scikit-image/chessboard_GRAY_U16B.tif", "we scale 16 bits to 8, Pillow clips at 255"}};

TEST_CASE("hashes of formula pictures are imagededup's, ties and tiny sizes included") {
  const auto rows = ReadGolden("imagededup_formula_hashes.csv");
  REQUIRE(rows.size() == 144);
  for (const auto& row : rows) {
    REQUIRE(row.size() == 9);
    const Image picture = FormulaPicture(std::stoll(row[0]), std::stoll(row[1]), std::stoi(row[2]), row[3],
                                         std::stoull(row[4]));
    CAPTURE(row[0] + "x" + row[1] + " " + row[3]);
    for (size_t k = 0; k < 4; ++k) CHECK(Hex(PerceptualHash(kKinds[k], picture.view())) == row[5 + k]);
  }
}

TEST_CASE("hashes of all photos are imagededup's") {
  const char* assets = std::getenv("IMGMILL_TEST_ASSETS");
  if (assets == nullptr) {
    MESSAGE("SKIPPED: IMGMILL_TEST_ASSETS is not set");
    return;
  }
  InitImageLibraries();
  const auto rows = ReadGolden("imagededup_hashes.csv");
  REQUIRE(rows.size() == 120);
  for (const auto& row : rows) {
    REQUIRE(row.size() == 5);
    CAPTURE(row[0]);
    const Image image = ReadGoldenPhoto(assets, row[0]);
    std::vector<std::string> hashes;
    for (const HashKind kind : kKinds) hashes.push_back(Hex(PerceptualHash(kind, image.view())));
    const std::vector<std::string> expected(row.begin() + 1, row.end());
    // A listed photo must really differ, or the list would hide what it no longer explains.
    CHECK((hashes == expected) == !kOtherPixels.contains(row[0]));
  }
}

TEST_CASE("the hash does not depend on how the rows come in") {
  for (const auto& [width, height] : {std::pair<int64_t, int64_t>{300, 200}, {40, 500}, {20, 11}, {9, 8}}) {
    const Image picture = FormulaPicture(width, height, 3, "noise", 5);
    for (const HashKind kind : kHashKinds) {
      const Hash256 whole = PerceptualHash(kind, picture.view());
      for (const int64_t strip : {1, 3, 64}) {
        PerceptualHasher hasher(kind, picture.layout());
        for (int64_t y = 0; y < height; y += strip) {
          Layout layout = picture.layout();
          layout.height = std::min(strip, height - y);
          hasher.Add({picture.row(y), layout, layout.row_bytes()});
        }
        CHECK(hasher.Finish() == whole);
      }
    }
  }
}

TEST_CASE("a grey picture has one hash, with 1 band or with 3 equal ones") {
  const Image grey = FormulaPicture(123, 77, 1, "noise", 8);
  Image rgb(Layout{123, 77, 3, Sample::kU8});
  for (int64_t y = 0; y < 77; ++y) {
    for (int64_t x = 0; x < 123; ++x) {
      for (int64_t b = 0; b < 3; ++b) rgb.row(y)[3 * x + b] = grey.row(y)[x];
    }
  }
  for (const HashKind kind : kHashKinds)
    CHECK(PerceptualHash(kind, rgb.view()) == PerceptualHash(kind, grey.view()));
}

TEST_CASE("the hashes in all poses are those of the posed pictures but for a few bits, of an oblong, too") {
  const Image picture = FormulaPicture(300, 170, 3, "blocks", 4);
  for (const HashKind kind : kKinds) {
    CAPTURE(std::string(ToString(kind)));
    CheckPoses(kind, picture, 3, 16);
  }
}

TEST_CASE("a hasher takes no more from the pool than it says, and far less than the picture") {
  for (const auto& [width, height] : {std::pair<int64_t, int64_t>{4000, 3000}, {3000, 9000}, {60, 40}}) {
    Image picture(Layout{width, height, 3, Sample::kU8});
    std::fill_n(picture.row(0), picture.layout().row_bytes() * static_cast<size_t>(height), uint8_t{99});
    for (const HashKind kind : kHashKinds) {
      HostPool().ResetPeak();
      const size_t before = HostPool().Stats().live;
      PerceptualHasher hasher(kind, picture.layout(), /*poses=*/true);
      hasher.Add(picture.view());
      static_cast<void>(hasher.FinishPoses());
      const size_t held = HostPool().Stats().peak_live - before;
      const size_t promised = PerceptualHasher::PooledBytes(kind, picture.layout(), /*poses=*/true);
      CAPTURE(width);
      CAPTURE(std::string(ToString(kind)));
      CHECK(held <= promised);
      if (width > 1000) CHECK(promised < size_t{4} << 20);
    }
  }
}

TEST_CASE("names of hashes are read back, and versions tell full from scaled") {
  for (const HashKind kind : kHashKinds) CHECK(HashKindFromName(ToString(kind)) == kind);
  CHECK_FALSE(HashKindFromName("phash2").has_value());
  CHECK(VersionedName(HashKind::kPhash, false) == "phash/2");
  CHECK(VersionedName(HashKind::kDhash, true) == "dhash-scaled/2");
  CHECK(VersionedName(HashKind::kPdq, true) == "pdq-scaled/1");
}

}  // namespace
}  // namespace imgmill
