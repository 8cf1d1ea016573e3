// What dedup takes for a duplicate where there is little to see, and where something is not to be seen.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "commands/drawn_picture.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

const std::vector<std::string> kMethods = {"phash", "dhash",     "ahash",    "whash",
                                           "pdq",   "blockmean", "embedding"};
constexpr int64_t kWidth = 640;
constexpr int64_t kHeight = 480;

/// The number of images in each group.
std::vector<size_t> Groups(const std::string& folder, const std::string& method, const std::string& decode) {
  const nlohmann::json result =
      Json(Run({"dedup", folder, "--no-catalog", "--json", "--method", method, "--decode", decode}));
  std::vector<size_t> sizes;
  for (const auto& group : result["groups"]) sizes.push_back(group["images"].size());
  return sizes;
}

void CheckGroups(const std::string& folder, const std::vector<size_t>& expected) {
  for (const std::string& method : kMethods) {
    for (const std::string decode : {"scaled", "full"}) {
      CAPTURE(folder);
      CAPTURE(method);
      CAPTURE(decode);
      CHECK(Groups(folder, method, decode) == expected);
    }
  }
}

double Disk(int64_t x, int64_t y) {
  return std::hypot(static_cast<double>(x - kWidth / 2), static_cast<double>(y - kHeight / 2)) < 120 ? 0
                                                                                                     : 255;
}

}  // namespace

TEST_CASE("strangers in which there is hardly anything to see are no duplicates") {
  const TestFolder where;
  std::mt19937 random(1);
  const auto between = [&](double from, double to) {
    return std::uniform_real_distribution<double>(from, to)(random);
  };
  for (int i = 0; i < 8; ++i) {
    const std::string name = "/" + std::to_string(i);
    const double dark = between(0, 90), light = between(150, 250);
    std::normal_distribution<double> grain(0, between(1, 12));
    for (const std::string extension : {".png", ".jpg"}) {
      const std::string in = extension.substr(1) + "/";
      WritePicture(
          where / (in + "halves" + name + extension),
          Draw(kWidth, kHeight, 3,
               [&](int64_t x, int64_t, int) { return (x < kWidth / 2 ? light : dark) + grain(random); }),
          90);
      WritePicture(where / (in + "horizons" + name + extension),
                   Draw(kWidth, kHeight, 3,
                        [&](int64_t, int64_t y, int) { return (y < 200 ? light : dark) + grain(random); }),
                   90);
      WritePicture(where / (in + "pages" + name + extension),
                   Draw(kWidth, kHeight, 3, [&](int64_t, int64_t, int) { return light + grain(random); }),
                   90);
      WritePicture(where / (in + "ramps" + name + extension),
                   Draw(kWidth, kHeight, 3,
                        [&](int64_t x, int64_t, int) {
                          return dark + (light - dark) * static_cast<double>(x) / kWidth;
                        }),
                   90);
    }
  }
  for (const std::string in : {"png", "jpg"}) {
    for (const std::string kind : {"/halves", "/horizons", "/pages", "/ramps"})
      CheckGroups(where / (in + kind), {});
  }
}

TEST_CASE(
    "the same pixels are the same picture in every lossless format, a ramp's and a plain colour's as well") {
  const TestFolder where;
  const Drawing ramp = [](int64_t x, int64_t, int) { return static_cast<double>(x); };
  const Drawing red = [](int64_t, int64_t, int band) { return band == 0 ? 255.0 : 0.0; };
  // Of red's luma: 0.299 * 255 = 76.2.
  const Drawing grey = [](int64_t, int64_t, int) { return 76.0; };
  for (const auto& [name, level] : {std::pair{"ramp", ramp}, {"red", red}, {"grey", grey}}) {
    for (const char* extension : {".png", ".tiff", ".webp"}) {
      WritePicture(where / ("photos/" + std::string(name) + extension), Draw(256, 128, 3, level));
    }
  }
  WritePicture(where / "photos/one_band.png", Draw(256, 128, 1, ramp));
  CheckGroups(where / "photos", {3, 4, 3});
  const ProcessResult told = Run({"dedup", where / "photos", "--no-catalog", "--include", "red*"});
  CHECK(told.out.find("same pixels") != std::string::npos);
}

TEST_CASE("one photo under three masks is three pictures, and what looks the same over white is one") {
  const TestFolder where;
  const Image photo = ReadPicture(SampleData() + "/harbour.jpg");
  const int64_t width = photo.layout().width, height = photo.layout().height;
  const std::vector<std::function<bool(int64_t, int64_t)>> masks = {
      [&](int64_t x, int64_t) { return x < width / 3; },
      [&](int64_t x, int64_t y) {
        return std::hypot(static_cast<double>(x - width / 2), static_cast<double>(y - height / 2)) < 80;
      },
      [](int64_t x, int64_t y) { return (y / 40 + x / 40) % 2 == 0; }};
  for (size_t i = 0; i < masks.size(); ++i) {
    const auto masked = [&](int64_t x, int64_t y, int band) -> double {
      return band == 3 ? (masks[i](x, y) ? 255 : 0) : photo.row(y)[3 * x + band];
    };
    WritePicture(where / ("masks/" + std::to_string(i) + ".png"), Draw(width, height, 4, masked));
  }
  CheckGroups(where / "masks", {});

  // Black on nothing (with black, and with yellow hidden there), and on white.
  WritePicture(where / "disks/clear.png", Draw(kWidth, kHeight, 4, [](int64_t x, int64_t y, int band) {
                 return band == 3 ? 255 - Disk(x, y) : 0;
               }));
  WritePicture(where / "disks/yellow.png", Draw(kWidth, kHeight, 4, [](int64_t x, int64_t y, int band) {
                 return band == 3 ? 255 - Disk(x, y) : band == 2 ? 0 : Disk(x, y);
               }));
  WritePicture(where / "disks/white.tiff",
               Draw(kWidth, kHeight, 3, [](int64_t x, int64_t y, int) { return Disk(x, y); }));
  WritePicture(where / "disks/white.jpg",
               Draw(kWidth, kHeight, 1, [](int64_t x, int64_t y, int) { return Disk(x, y); }), 90);
  CheckGroups(where / "disks", {4});
}

}  // namespace imgmill::process_test
