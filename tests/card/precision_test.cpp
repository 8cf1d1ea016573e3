// Half precision on a device: where it is used, where it is not, and what it cannot hold.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "card_fixture.h"

using namespace imgmill;

namespace {

constexpr int kScale = 2;

int64_t HalfLayers() {
  return host_card_counts().half_layers;
}

}  // namespace

TEST_CASE("half precision is for 8 bits, and next to float32") {
  const House house = CardHouse();
  const WeightFolder folder;
  const auto model = Load(house, SmallCompact(folder, 16, 6, kScale, true, ""));
  REQUIRE(model->HasHalf("privateuseone:0"));
  REQUIRE(!model->HasHalf("cpu"));
  const auto half = OpenStream(*model, WorkPlace::Device(0), Precision::kHalf);
  const auto full = OpenStream(*model, WorkPlace::Device(0));
  SamplePicture in_half({}, 40, 50, kScale), in_full({}, 40, 50, kScale);
  int64_t before = HalfLayers();
  Enlarge(*full, in_full);
  CHECK(HalfLayers() == before);
  Enlarge(*half, in_half);
  CHECK(HalfLayers() >= before + 6);  // one a convolution at least
  int most = 0, off = 0;
  for (size_t i = 0; i < in_full.out.size(); ++i) {
    const int difference =
        std::abs(std::to_integer<int>(in_full.out[i]) - std::to_integer<int>(in_half.out[i]));
    most = std::max(most, difference);
    if (difference > 0) ++off;
  }
  CHECK(most >= 1);  // it is another computation: some values fall to the other side
  CHECK(most <= 2);
  CHECK(off < static_cast<int>(in_full.out.size() / 20));
  CHECK(half->beyond_half() == 0);

  before = HalfLayers();
  SamplePicture words({.bits = 16, .bands = 3}, 24, 24, kScale),
      same({.bits = 16, .bands = 3}, 24, 24, kScale);
  Enlarge(*half, words);
  CHECK(HalfLayers() == before);
  Enlarge(*full, same);
  CHECK((words.out == same.out));
}

TEST_CASE("an image whose values half precision cannot hold is done in float32, and the others are not") {
  const House house = CardHouse();
  const WeightFolder folder;
  // With these weights noise at full contrast exceeds 65504 inside, and black, which is only biases, does
  // not.
  const auto model = Load(house, SmallCompact(folder, 32, 8, kScale, true, "", /*gain=*/3.7f));
  const auto half = OpenStream(*model, WorkPlace::Device(0), Precision::kHalf);
  const auto full = OpenStream(*model, WorkPlace::Device(0));
  SamplePicture loud({}, 32, 32, kScale), expected({}, 32, 32, kScale), black({}, 32, 32, kScale);
  std::fill(black.in.begin(), black.in.end(), std::byte{0});
  Enlarge(*full, expected);
  const std::vector<SampleImage> images = {black.image(), loud.image()};
  REQUIRE(half->RunSamples(images, loud.form, 2, 32, 32).ok());
  CHECK(half->beyond_half() == 1);
  CHECK((loud.out == expected.out));
}
