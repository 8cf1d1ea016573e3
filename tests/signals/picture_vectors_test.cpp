// The built-in vector and a model's picture: against Pillow and NumPy, and what must not change them.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

#include "formula_picture.h"
#include "imgmill/signals/image_descriptor.h"
#include "imgmill/signals/model_image.h"
#include "signals/posed_picture.h"

using namespace imgmill;

namespace {

using Vector = std::array<float, ImageDescriptor::kLength>;

Vector Describe(const Image& image, int64_t strip = 1000) {
  ImageDescriptor descriptor(image.layout());
  for (int64_t y = 0; y < image.layout().height; y += strip) {
    ImageView rows = image.view();
    rows.data = image.row(y);
    rows.layout.height = std::min(strip, image.layout().height - y);
    descriptor.Add(rows);
  }
  Vector vector{};
  descriptor.Finish(vector);
  return vector;
}

double Cosine(const Vector& a, const Vector& b) {
  double dot = 0;
  for (size_t i = 0; i < a.size(); ++i) dot += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return dot;
}

}  // namespace

TEST_CASE("the built-in vector has length 1, whatever the picture, and does not depend on how rows come") {
  for (const char* pattern : {"noise", "blocks", "flat", "diagonal", "checks"}) {
    for (const auto& [width, height] : {std::pair{1, 1}, {3, 200}, {64, 64}, {317, 90}}) {
      CAPTURE(pattern);
      CAPTURE(width);
      const Image image = FormulaPicture(width, height, 3, pattern, 3);
      const Vector whole = Describe(image);
      CHECK(Cosine(whole, whole) == doctest::Approx(1).epsilon(1e-6));
      CHECK(Describe(image, 7) == whole);
    }
  }
}

TEST_CASE(
    "the built-in vector of each pose is that of the posed picture: to the bit where nothing is resized") {
  const std::vector<int> poses = {1, 2, 3, 4, 5, 6, 7};
  for (const auto& [width, height] : {std::pair{64, 64}, {317, 90}}) {
    const Image image = FormulaPicture(width, height, 3, "blocks", 5);
    ImageDescriptor descriptor(image.layout());
    descriptor.Add(image.view());
    std::vector<float> vectors((1 + poses.size()) * ImageDescriptor::kLength);
    descriptor.FinishPoses(poses, vectors);
    const Vector own = Describe(image);
    CHECK(std::equal(own.begin(), own.end(), vectors.begin()));
    for (const int pose : poses) {
      CAPTURE(width);
      CAPTURE(pose);
      Vector posed{};
      std::copy_n(vectors.begin() + pose * ImageDescriptor::kLength, posed.size(), posed.begin());
      const Vector expected = Describe(Posed(image, pose));
      CHECK(Cosine(expected, posed) > 0.999);
      CHECK(Cosine(own, posed) < 0.99);
      if (width == height) CHECK(posed == expected);
    }
  }
}

TEST_CASE("a model's picture brought into a pose is that of the posed picture, square by square") {
  ModelInput input;
  input.side = 24;
  const Image image = FormulaPicture(24, 24, 3, "noise", 2);
  const auto planes_of = [&](const Image& shown) {
    ModelImage made(input, shown.layout());
    made.Add(shown.view());
    std::vector<float> planes(3 * 24 * 24);
    made.Finish(planes.data());
    return planes;
  };
  for (int pose = 0; pose < kPoses; ++pose) {
    CAPTURE(pose);
    std::vector<float> turned(3 * 24 * 24);
    ModelImage::Turn(input, pose, planes_of(image).data(), turned.data());
    CHECK(turned == planes_of(Posed(image, pose)));
  }
}

TEST_CASE("the built-in vector's parts are those of NumPy on a 64x64 picture, which is not resized") {
  // make_vector_golden.py: the formulas of image_descriptor.h in NumPy, on FormulaPicture(64, 64, 3,
  // "blocks", 1).
  const Vector vector = Describe(FormulaPicture(64, 64, 3, "blocks", 1));
  struct Expected {
    size_t index;
    double value;
  };
  for (const Expected& expected : std::initializer_list<Expected>{
#include "golden/picture_vector.inc"
       }) {
    CAPTURE(expected.index);
    CHECK(static_cast<double>(vector[expected.index]) == doctest::Approx(expected.value).epsilon(1e-4));
  }
}

TEST_CASE("pictures that look alike are near, others are not") {
  const Image image = FormulaPicture(200, 150, 3, "blocks", 1);
  Image noisy = FormulaPicture(200, 150, 3, "blocks", 1);
  for (int64_t y = 0; y < 150; ++y) {
    for (int64_t x = 0; x < 600; ++x) noisy.row(y)[x] = static_cast<uint8_t>(noisy.row(y)[x] / 8 * 8);
  }
  const Vector vector = Describe(image);
  CHECK(Cosine(vector, Describe(noisy)) > 0.99);
  CHECK(Cosine(vector, Describe(FormulaPicture(200, 150, 3, "blocks", 2))) < 0.6);
  CHECK(Cosine(vector, Describe(FormulaPicture(200, 150, 3, "diagonal", 1))) < 0.6);
}

TEST_CASE("a model's picture by its shorter side is Pillow's, by each filter, at torchvision's place") {
  struct Expected {
    ResizeFilter filter;
    int width, height;
    std::array<float, 4> red;  ///< of the first three pixels and the last
  };
  // tests/golden/make_vector_golden.py, Pillow 13.0.
  const Expected all[] = {
#include "golden/pillow_shorter.inc"
  };
  for (const Expected& expected : all) {
    CAPTURE(ToString(expected.filter));
    CAPTURE(expected.width);
    const Image image = FormulaPicture(expected.width, expected.height, 3, "noise", 5);
    ModelInput input;
    input.side = 16;
    input.rule = SquareRule::kShorter;
    input.shorter = 20;
    input.filter = expected.filter;
    ModelImage picture(input, image.layout());
    picture.Add(image.view());
    std::vector<float> planes(3 * 16 * 16);
    picture.Finish(planes.data());
    for (size_t i = 0; i < 3; ++i) CHECK(planes[i] == expected.red[i]);
    CHECK(planes[255] == expected.red[3]);
  }
}

TEST_CASE("a model's picture is Pillow's BILINEAR, by bands, in the order and numbers that were asked for") {
  const Image image = FormulaPicture(61, 37, 3, "noise", 5);
  ModelInput input;
  input.side = 8;
  // Pillow 13.0: Image.fromarray(...).resize((8, 8), Image.BILINEAR), first three pixels of each band.
  const std::array<std::array<float, 3>, 3> pillow = {{
#include "golden/pillow_bilinear.inc"
  }};
  const auto planes_of = [&](const ModelInput& wanted, int64_t strip) {
    ModelImage picture(wanted, image.layout());
    for (int64_t y = 0; y < 37; y += strip) {
      ImageView rows = image.view();
      rows.data = image.row(y);
      rows.layout.height = std::min(strip, 37 - y);
      picture.Add(rows);
    }
    std::vector<float> planes(3 * static_cast<size_t>(wanted.side) * static_cast<size_t>(wanted.side));
    picture.Finish(planes.data());
    return planes;
  };
  const std::vector<float> rgb = planes_of(input, 37);
  for (size_t band = 0; band < 3; ++band) {
    for (size_t i = 0; i < 3; ++i) CHECK(rgb[band * 64 + i] == pillow[band][i]);
  }
  CHECK(planes_of(input, 5) == rgb);
  input.bgr = true;
  input.scale = {2, 1, 1};
  input.shift = {-1, 0, 0};
  CHECK(planes_of(input, 37)[0] == rgb[128] * 2 - 1);
  CHECK(planes_of(input, 37)[64] == rgb[64]);

  // A crop of the square in the middle, unscaled: columns 12 to 48 as they are.
  input = {};
  input.side = 37;
  input.rule = SquareRule::kCrop;
  const std::vector<float> cropped = planes_of(input, 10);
  CHECK(cropped[0] == static_cast<float>(image.row(0)[12 * 3]));
  CHECK(cropped[37 * 37 - 1] == static_cast<float>(image.row(36)[48 * 3]));
}
