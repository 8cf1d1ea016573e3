// PNG as it is written here: readable by others, the same bytes whatever the threads, and no larger than
// libpng's.
#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

#include "image/vips_session.h"
#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

enum class Content { kNoise, kFlat, kWaves };

Image Make(const Layout& layout, Content content) {
  Image image(layout);
  std::mt19937 random(11);
  for (int64_t y = 0; y < layout.height; ++y) {
    for (int64_t i = 0; i < layout.width * layout.bands; ++i) {
      uint32_t value = 0x5A3C;
      if (content == Content::kNoise) value = static_cast<uint32_t>(random());
      if (content == Content::kWaves) value = static_cast<uint32_t>(i * 37 + y * 91 + random() % 300);
      if (layout.sample == Sample::kU8) {
        image.row(y)[i] = static_cast<uint8_t>(value >> 8);
      } else {
        reinterpret_cast<uint16_t*>(image.row(y))[i] = static_cast<uint16_t>(value);
      }
    }
  }
  return image;
}

void Write(const std::string& path, const Image& image, int level) {
  WriteOptions options;
  options.compression = level;
  auto writer = CreateRows(path, image.layout(), options, "");
  REQUIRE(writer.ok());
  Layout strip = image.layout();
  for (int64_t y = 0; y < image.layout().height; y += strip.height) {
    strip.height = std::min<int64_t>(29, image.layout().height - y);
    REQUIRE((*writer)->Write({image.row(y), strip, image.layout().row_bytes()}).ok());
  }
  REQUIRE((*writer)->Finish().ok());
}

uint32_t Number(const std::string& bytes, size_t at) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<uint8_t>(bytes[at + i]);
  return number;
}

/// A second reader beside libvips': the format's specification, by hand, over zlib's inflate. Fails the test
/// at a wrong checksum, an unknown filter or bytes too many.
Image ReadByHand(const std::string& png) {
  REQUIRE(png.substr(0, 8) == "\x89PNG\r\n\x1a\n");
  std::string zlib;
  std::string header;
  std::string last;
  for (size_t at = 8; at < png.size();) {
    const size_t length = Number(png, at);
    last = png.substr(at + 4, 4);
    const std::string data = png.substr(at + 8, length);
    const auto* named = reinterpret_cast<const Bytef*>(png.data() + at + 4);
    REQUIRE(Number(png, at + 8 + length) == crc32(0, named, static_cast<uInt>(length + 4)));
    if (last == "IHDR") header = data;
    if (last == "IDAT") zlib += data;
    at += 12 + length;
  }
  CHECK(last == "IEND");
  const std::string types("\0\4\2\6", 4);
  Layout layout;
  layout.width = Number(header, 0);
  layout.height = Number(header, 4);
  layout.bands = 1 + static_cast<int>(types.find(header[9]));
  layout.sample = header[8] == 8 ? Sample::kU8 : Sample::kU16;
  const size_t row_bytes = layout.row_bytes();
  std::vector<uint8_t> rows((row_bytes + 1) * static_cast<size_t>(layout.height));
  z_stream stream{};
  REQUIRE(inflateInit(&stream) == Z_OK);  // with zlib's head and checksum
  stream.next_in = reinterpret_cast<Bytef*>(zlib.data());
  stream.avail_in = static_cast<uInt>(zlib.size());
  stream.next_out = rows.data();
  stream.avail_out = static_cast<uInt>(rows.size());
  REQUIRE(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  REQUIRE(stream.avail_in == 0);
  REQUIRE(stream.avail_out == 0);
  inflateEnd(&stream);

  Image image(layout);
  const size_t pixel = static_cast<size_t>(layout.bands) * BytesPerSample(layout.sample);
  std::vector<uint8_t> above(row_bytes), row(row_bytes);
  for (int64_t y = 0; y < layout.height; ++y) {
    const uint8_t* from = &rows[(row_bytes + 1) * static_cast<size_t>(y)];
    const int filter = *from++;
    REQUIRE(filter <= 4);
    for (size_t i = 0; i < row_bytes; ++i) {
      const int a = i >= pixel ? row[i - pixel] : 0, b = above[i], c = i >= pixel ? above[i - pixel] : 0;
      const int pa = std::abs(b - c), pb = std::abs(a - c), pc = std::abs(a + b - 2 * c);
      const int paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      const int predicted[] = {0, a, b, (a + b) / 2, paeth};
      row[i] = static_cast<uint8_t>(from[i] + predicted[filter]);
    }
    above = row;
    if (layout.sample == Sample::kU16) {
      for (size_t i = 0; i < row_bytes; i += 2) std::swap(row[i], row[i + 1]);
    }
    std::memcpy(image.row(y), row.data(), row_bytes);
    row = above;
  }
  return image;
}

bool Equal(const Image& a, const Image& b) {
  return a.layout() == b.layout() && Checksum(a) == Checksum(b);
}

/// Bytes of the file that libpng makes of the picture, all filters tried.
size_t BytesByLibpng(const std::string& source, int level) {
  void* bytes = nullptr;
  size_t size = 0;
  VipsImage* image = vips_image_new_from_file(source.c_str(), nullptr);
  REQUIRE(image != nullptr);
  CHECK(vips_pngsave_buffer(image, &bytes, &size, "compression", level, "filter", VIPS_FOREIGN_PNG_FILTER_ALL,
                            "strip", TRUE, nullptr) == 0);
  g_object_unref(image);
  g_free(bytes);
  return size;
}

class ThreadsOfTest {
 public:
  explicit ThreadsOfTest(int threads) { SetWritingThreads(threads); }
  ~ThreadsOfTest() { SetWritingThreads(0); }
};

}  // namespace

TEST_CASE(
    "a written PNG is read alike by libvips and by hand: every depth and kind, odd sizes, every content") {
  const TemporaryFolder folder;
  TimeGuard guard("PNG of all kinds", 120);
  const std::string path = folder / "image.png";
  struct Size {
    int64_t width, height;
  };
  for (const Size size : {Size{1, 1}, {1, 37}, {37, 1}, {5, 3}, {301, 203}, {90001, 5}, {1000, 700}}) {
    for (int bands = 1; bands <= 4; ++bands) {
      for (const Sample sample : {Sample::kU8, Sample::kU16}) {
        for (const Content content : {Content::kNoise, Content::kFlat, Content::kWaves}) {
          const Image image = Make({size.width, size.height, bands, sample}, content);
          for (const int level : {0, 1, 6}) {
            if (level == 6 && size.width > 400) continue;  // slow, and nothing new
            CAPTURE(size.width);
            CAPTURE(bands);
            CAPTURE(BytesPerSample(sample));
            CAPTURE(static_cast<int>(content));
            CAPTURE(level);
            Write(path, image, level);
            CHECK(Equal(ReadByHand(ReadFile(path)), image));
            CHECK(Equal(ReadAll(path, {}), image));
          }
        }
      }
    }
  }
}

TEST_CASE("a PNG's bytes do not depend on the threads") {
  const TemporaryFolder folder;
  TimeGuard guard("PNG by threads", 120);
  for (const int level : {1, 6}) {
    const Image image = Make({1500, 4000, 3, Sample::kU8}, Content::kWaves);  // 17 MiB: many bands
    std::vector<std::string> files;
    for (const int threads : {1, 2, 7}) {
      const ThreadsOfTest scope(threads);
      Write(folder / "image.png", image, level);
      files.push_back(ReadFile(folder / "image.png"));
    }
    CHECK(Equal(ReadByHand(files[0]), image));
    CHECK(files[1] == files[0]);
    CHECK(files[2] == files[0]);
  }
}

TEST_CASE("many PNG at once share the helping threads, and writers that are abandoned hinder nobody") {
  const TemporaryFolder folder;
  TimeGuard guard("PNG at once", 120);
  const ThreadsOfTest scope(5);
  const Image image = Make({900, 1500, 3, Sample::kU8}, Content::kWaves);
  Write(folder / "alone.png", image, 1);
  const std::string expected = ReadFile(folder / "alone.png");
  std::vector<std::string> found(6);
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < found.size(); ++t) {
      threads.emplace_back([&, t] {
        const std::string path = folder / (std::to_string(t) + ".png");
        for (int round = 0; round < 4; ++round) {
          auto writer = CreateRows(path, image.layout(), {}, "");
          if (!writer) return;
          const bool whole = (static_cast<size_t>(round) + t) % 2 == 0;
          Layout part = image.layout();
          if (!whole) part.height = static_cast<int64_t>(100 * t + 17);
          if (!(*writer)->Write({image.row(0), part, image.layout().row_bytes()})) return;
          if (!whole) continue;
          if (!(*writer)->Finish()) return;
          found[t] = ReadFile(path);
        }
      });
    }
  }
  for (const std::string& file : found) CHECK(file == expected);
}

TEST_CASE("photos are no larger than libpng's at the same level") {
  if (!HaveAssets()) return;
  const TemporaryFolder folder;
  TimeGuard guard("sizes of PNG", 200);
  for (const int level : {1, 3, 6}) {
    size_t ours = 0, libpngs = 0;
    int n = 0;
    for (const std::string& source : AssetFiles({"photos/bsds500-val"})) {
      if (!source.ends_with(".jpg") || n++ % 5 != 0) continue;
      const Image image = ReadAll(source, {});
      Write(folder / "image.png", image, level);
      ours += ReadFile(folder / "image.png").size();
      libpngs += BytesByLibpng(source, level);
    }
    REQUIRE(n >= 20);
    MESSAGE("level " << level << ": " << ours << " bytes, libpng " << libpngs);
    CHECK(static_cast<double>(ours) <= 1.003 * static_cast<double>(libpngs));
  }
}
