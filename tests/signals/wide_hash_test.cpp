// The 256-bit hashes against pdqhash 0.2.8 (Meta's own code) and OpenCV 5's BlockMeanHash, and in all poses.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "imgmill/signals/perceptual_hash.h"
#include "signals/formula_picture.h"
#include "signals/golden_csv.h"
#include "signals/golden_photo.h"
#include "signals/posed_picture.h"

namespace imgmill {
namespace {

std::string Hex(const Hash256& hash) {
  char text[65];
  std::snprintf(text, sizeof(text), "%016llx%016llx%016llx%016llx", static_cast<unsigned long long>(hash[3]),
                static_cast<unsigned long long>(hash[2]), static_cast<unsigned long long>(hash[1]),
                static_cast<unsigned long long>(hash[0]));
  return text;
}

// Stripes and a ramp: most of their frequencies are equal but for rounding, and Meta's code rounds to floats.
const std::set<std::string> kOfRounding = {"scikit-image/multipage.tif", "scikit-image/palette_gray.png"};

struct Expected {
  std::string pdq;
  int quality = 0;
  std::string blocks;
};
Expected Last(const std::vector<std::string>& row) {
  return {row[row.size() - 3], std::stoi(row[row.size() - 2]), row.back()};
}

void CheckHashes(const Image& picture, const Expected& expected) {
  PerceptualHasher pdq(HashKind::kPdq, picture.layout());
  pdq.Add(picture.view());
  const Hash256 bits = pdq.Finish();
  CHECK(pdq.quality() == expected.quality);
  // Where there is next to nothing to see, frequencies are equal but for rounding.
  if (expected.quality >= kLeastPdqQuality) CHECK(Hex(bits) == expected.pdq);
  CHECK(Hex(PerceptualHash(HashKind::kBlockMean, picture.view())) == expected.blocks);
}

TEST_CASE("256-bit hashes of formula pictures are pdqhash's and OpenCV's") {
  const auto rows = ReadGolden("wide_formula_hashes.csv");
  REQUIRE(rows.size() == 36);
  for (const auto& row : rows) {
    REQUIRE(row.size() == 8);
    CAPTURE(row[0] + "x" + row[1] + " " + row[3]);
    CheckHashes(FormulaPicture(std::stoll(row[0]), std::stoll(row[1]), std::stoi(row[2]), row[3],
                               std::stoull(row[4])),
                Last(row));
  }
}

TEST_CASE("256-bit hashes of all photos are pdqhash's and OpenCV's") {
  const char* assets = std::getenv("IMGMILL_TEST_ASSETS");
  if (assets == nullptr) {
    MESSAGE("SKIPPED: IMGMILL_TEST_ASSETS is not set");
    return;
  }
  InitImageLibraries();
  const auto rows = ReadGolden("wide_hashes.csv");
  REQUIRE(rows.size() == 120);
  for (const auto& row : rows) {
    REQUIRE(row.size() == 4);
    if (row[0].find("_U16") != std::string::npos) continue;  // we scale 16 bits to 8, Pillow clips at 255
    CAPTURE(row[0]);
    const Image image = ReadGoldenPhoto(assets, row[0]);
    const Expected expected = Last(row);
    if (kOfRounding.contains(row[0])) {
      // A listed photo must really differ, or the list would hide what it no longer explains.
      CHECK(Hex(PerceptualHash(HashKind::kPdq, image.view())) != expected.pdq);
      continue;
    }
    CheckHashes(image, expected);
  }
}

TEST_CASE("the hashes in all poses are near those of the posed pictures") {
  const Image picture = FormulaPicture(384, 384, 1, "blocks", 4);
  for (const HashKind kind : {HashKind::kPdq, HashKind::kBlockMean}) {
    CAPTURE(std::string(ToString(kind)));
    CheckPoses(kind, picture, 12, 80);
  }
}

TEST_CASE("a picture with a side of less than 5 pixels has no PDQ hash, and a flat one no quality") {
  for (const auto& [width, height] : {std::pair<int64_t, int64_t>{4, 100}, {100, 4}, {1, 1}}) {
    const Image picture = FormulaPicture(width, height, 3, "noise", 5);
    PerceptualHasher hasher(HashKind::kPdq, picture.layout());
    hasher.Add(picture.view());
    CHECK(hasher.Finish() == Hash256{});
    CHECK(hasher.quality() == 0);
  }
  const Image flat = FormulaPicture(200, 100, 3, "flat", 5);
  PerceptualHasher hasher(HashKind::kPdq, flat.layout());
  hasher.Add(flat.view());
  CHECK(hasher.quality() == 0);
}

}  // namespace
}  // namespace imgmill
