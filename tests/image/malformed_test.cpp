// Damaged variants of every format: cut, flipped, zeroed. Each is read twice, and must give the same both
// times, within two seconds, without a crash; and what a cut or a zeroed tail has lost must not pass for an
// image.
#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>
#include <random>

#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

constexpr double kMostSeconds = 2;  // of processor time, which other work on the machine does not lengthen
constexpr unsigned kHangSeconds = 120;

struct Variant {
  std::string name;
  std::string bytes;
  bool lost = false;  ///< its end is gone: to be refused, or to have all pixels of the original
};

std::vector<Variant> VariantsOf(const std::string& good) {
  std::vector<Variant> variants;
  for (size_t i = 0; i < 20; ++i) {
    variants.push_back({"cut" + std::to_string(i), good.substr(0, good.size() * i / 20), true});
  }
  for (size_t i = 1; i < 20; ++i) {
    Variant zeroed{"zero" + std::to_string(i), good, true};
    std::fill(zeroed.bytes.begin() + static_cast<ptrdiff_t>(good.size() * i / 20), zeroed.bytes.end(), '\0');
    variants.push_back(std::move(zeroed));
  }
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    Variant flipped{"flip" + std::to_string(seed), good, false};
    for (unsigned flips = 0; flips <= seed % 3; ++flips) {
      flipped.bytes[random() % good.size()] ^= static_cast<char>(1 + random() % 255);
    }
    variants.push_back(std::move(flipped));
  }
  return variants;
}

/// Pixels, or the error as text.
struct Read {
  std::optional<uint64_t> checksum;
  std::string error;
  bool operator==(const Read&) const = default;
};

Read ReadVariant(const std::string& path) {
  const ImageLimits limits{int64_t{1} << 24, int64_t{1} << 24};
  const auto failed = [](const Error& error) { return Read{std::nullopt, Describe("", error)}; };
  Result<ImageHeader> header = Probe(path, limits);
  if (!header) return failed(header.error());
  // As a viewer shows it: whether an animation has alpha, later pictures decide, which may be gone.
  ReadOptions options;
  options.bands = ReadOptions::Bands::kRgb;
  options.alpha = ReadOptions::Alpha::kFlattenWhite;
  Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, options);
  if (!rows) return failed(rows.error());
  const Layout layout = (*rows)->layout();
  Image image(layout);
  for (int64_t y = 0; y < layout.height; y += 16) {
    const int64_t now = std::min<int64_t>(16, layout.height - y);
    if (Status read = (*rows)->Read(now, image.row(y), layout.row_bytes()); !read)
      return failed(read.error());
  }
  return {Checksum(image), {}};
}

/// Formats whose pixels are stored as they are: zeros at the end are a black part of the picture. In lossy
/// WebP, too, a flat part may be zeros, and what its decoder needs of them cannot be told from others where
/// they are few.
bool StoresZeros(const std::string& name) {
  if (name == "lossy.webp") return true;
  return name.starts_with("raw.") || name.ends_with(".pgm") || name.ends_with(".ppm") ||
         name.ends_with(".pfm") || name.ends_with(".bmp") || name.ends_with(".tga") ||
         name.ends_with(".dds") || name.ends_with("raw.sgi");
}

}  // namespace

TEST_CASE("damaged files of every format: no crash, no hang, the same twice, and no lost part passes") {
  const std::filesystem::path folder = IMGMILL_SOURCE_DIR "/tests/corpus/files/plain";
  const std::filesystem::path others = folder.parent_path();
  TemporaryFolder work;
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename() != "expected.tsv") files.push_back(entry.path());
  }
  for (const char* file : {"dds/dxt1.dds", "dds/bgra.dds", "dds/dx10_78_bc3.dds", "sgi/rgba_raw.sgi",
                           "sgi/rgb_runs.sgi", "sgi/rgb16_runs.sgi"})
    files.push_back(others / file);
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() > 20);
  for (const std::string& source : files) {
    const std::string file = std::filesystem::path(source).filename();
    const std::string good = ReadFile(source);
    const std::string path = work / file;
    WriteFile(path, good);
    const Read original = ReadVariant(path);
    REQUIRE_MESSAGE(original.checksum, file << ": " << original.error);
    for (const Variant& variant : VariantsOf(good)) {
      INFO(file << " " << variant.name);
      WriteFile(path, variant.bytes);
      const TimeGuard guard(file + " " + variant.name, kHangSeconds);
      const std::clock_t start = std::clock();
      const Read first = ReadVariant(path);
      CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < kMostSeconds);
      const Read again = ReadVariant(path);
      CHECK(first.checksum == again.checksum);
      CHECK(first.error == again.error);
      const bool legal = variant.name.starts_with("zero") && StoresZeros(file);
      if (variant.lost && !legal && first.checksum) {
        CHECK_MESSAGE(first == original, "a part is lost, and it was read");
      }
    }
  }
}
