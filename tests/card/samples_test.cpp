// Samples on a device: what comes back is what the definition gives for them on the CPU, value by value.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "card_fixture.h"

using namespace imgmill;

namespace {

constexpr int kScale = 2;

int Sample(const std::vector<std::byte>& samples, const SampleForm& form, size_t index) {
  if (form.bits == 8) return std::to_integer<int>(samples[index]);
  uint16_t word = 0;
  std::memcpy(&word, samples.data() + 2 * index, 2);
  return word;
}

/// The definition: bands as planes of value / full, the network on the CPU, clamped and rounded half to even.
/// Grey goes on all three planes, and comes back as their mean; so does alpha.
std::vector<int> Expected(UpscaleModel& model, const SamplePicture& picture) {
  const SampleForm& form = picture.form;
  const float full = form.bits == 8 ? 255.0f : 65535.0f;
  const auto pixels = static_cast<size_t>(picture.height * picture.width);
  const size_t enlarged = pixels * kScale * kScale;
  const auto bands = static_cast<size_t>(form.bands);
  std::vector<int> expected(enlarged * bands);
  const auto pass = [&](size_t first, size_t count) {
    std::vector<float> planes(3 * pixels), result(3 * enlarged);
    for (size_t plane = 0; plane < 3; ++plane) {
      for (size_t i = 0; i < pixels; ++i)
        planes[plane * pixels + i] =
            static_cast<float>(Sample(picture.in, form, i * bands + first + (count == 3 ? plane : 0))) / full;
    }
    REQUIRE(model.Forward(planes.data(), result.data(), 1, picture.height, picture.width, kCpuRung).ok());
    const auto rounded = [&](float value) {
      return static_cast<int>(std::lrintf(std::clamp(value, 0.0f, 1.0f) * full));
    };
    for (size_t i = 0; i < enlarged; ++i) {
      const float* value = result.data() + i;
      for (size_t band = 0; count == 3 && band < 3; ++band)
        expected[i * bands + first + band] = rounded(value[band * enlarged]);
      if (count == 1)
        expected[i * bands + first] = rounded((value[0] + value[enlarged] + value[2 * enlarged]) / 3);
    }
  };
  const auto colours = static_cast<size_t>(form.colours());
  pass(0, colours);
  if (form.has_alpha()) pass(colours, 1);
  return expected;
}

}  // namespace

TEST_CASE("samples on a device are enlarged and rounded as the definition says") {
  const House house = CardHouse();
  const WeightFolder folder;
  const auto model = Load(house, SmallCompact(folder, 8, 4, kScale, true, ""));
  REQUIRE(model->TakesSamples());
  const auto stream = OpenStream(*model, WorkPlace::Device(0));
  for (const int bits : {8, 16}) {
    for (const int bands : {1, 2, 3, 4}) {
      CAPTURE(bits);
      CAPTURE(bands);
      SamplePicture picture({.bits = bits, .bands = bands}, 13, 21, kScale);
      const std::vector<int> expected = Expected(*model, picture);
      Enlarge(*stream, picture);
      // A batch of rows is summed by other instructions than one of planes: a value on the edge between two
      // levels may fall to either side.
      int off = 0, most = 0;
      for (size_t i = 0; i < expected.size(); ++i) {
        const int difference = std::abs(expected[i] - Sample(picture.out, picture.form, i));
        most = std::max(most, difference);
        if (difference > 0) ++off;
      }
      CHECK(most <= 1);
      CHECK(off <= (bits == 8 ? 0 : static_cast<int>(expected.size() / 50)));
    }
  }
}

TEST_CASE("each image of a batch is its own, and padding is nobody's") {
  const House house = CardHouse();
  const WeightFolder folder;
  const auto model = Load(house, SmallCompact(folder, 8, 4, kScale, true, ""));
  const auto stream = OpenStream(*model, WorkPlace::Device(0));
  const SampleForm form;
  std::vector<SamplePicture> pictures;
  for (unsigned seed = 1; seed <= 3; ++seed) pictures.emplace_back(form, 20, 30, kScale, seed);
  std::vector<SampleImage> images;
  for (SamplePicture& picture : pictures) images.push_back(picture.image());
  REQUIRE(stream->RunSamples(images, form, 4, 20, 30).ok());
  for (SamplePicture& picture : pictures) {
    const std::vector<std::byte> together = picture.out;
    const SampleImage alone = picture.image();
    REQUIRE(stream->RunSamples({&alone, 1}, form, 4, 20, 30).ok());
    CHECK((picture.out == together));
  }
  CHECK((pictures[0].out != pictures[1].out));
}

TEST_CASE("a batch that the device has no memory for is out of memory, and the next one is done") {
  const House house = CardHouse();
  const WeightFolder folder;
  const auto model = Load(house, SmallCompact(folder, 64, 4, kScale, true, ""));
  const auto stream = OpenStream(*model, WorkPlace::Device(0));
  SamplePicture large({}, 2400, 2400, kScale);  // 64 features of float32: 1.4 GiB a layer, of 1 GiB
  const SampleImage image = large.image();
  const Status refused = stream->RunSamples({&image, 1}, large.form, 1, large.height, large.width);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Code::kOutOfMemory);
  SamplePicture small({}, 16, 16, kScale);
  Enlarge(*stream, small);
  const auto fresh = OpenStream(*model, WorkPlace::Device(0));
  SamplePicture again({}, 16, 16, kScale);
  Enlarge(*fresh, again);
  CHECK((again.out == small.out));
}
