// Written files come back as they were: pixels, depth, alpha, profile, EXIF; and a writer that fails or is
// abandoned leaves nothing behind and never hangs.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "image/upright_metadata.h"
#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

// Smooth colour waves with a little noise, alpha in a gradient.
Image Pattern(const Layout& layout) {
  Image image(layout);
  uint32_t seed = 1;
  for (int64_t y = 0; y < layout.height; ++y) {
    for (int64_t i = 0; i < layout.width * layout.bands; ++i) {
      seed = seed * 1664525U + 1013904223U;
      const double wave = 0.5 + 0.4 * std::sin(static_cast<double>(i) * 0.02 + static_cast<double>(y) * 0.03);
      const double value = wave + static_cast<double>(seed >> 28) / 1000.0;
      if (layout.sample == Sample::kU8) {
        image.row(y)[i] = static_cast<uint8_t>(value * 255);
      } else if (layout.sample == Sample::kU16) {
        reinterpret_cast<uint16_t*>(image.row(y))[i] = static_cast<uint16_t>(value * 65535);
      } else {
        reinterpret_cast<float*>(image.row(y))[i] = static_cast<float>(value);
      }
    }
  }
  return image;
}

std::vector<std::string> Write(const std::string& path, const Image& image, const WriteOptions& options,
                               const std::string& metadata_from = {}) {
  Result<std::unique_ptr<RowWriter>> writer = CreateRows(path, image.layout(), options, metadata_from);
  if (!writer) FAIL(writer.error().message);
  Layout strip = image.layout();
  for (int64_t y = 0; y < image.layout().height; y += strip.height) {
    strip.height = std::min<int64_t>(23, image.layout().height - y);
    Status status = (*writer)->Write({image.row(y), strip, image.layout().row_bytes()});
    if (!status) FAIL(status.error().message);
  }
  Status finished = (*writer)->Finish();
  if (!finished) FAIL(finished.error().message);
  return (*writer)->notes();
}

double MeanDifference(const Image& a, const Image& b) {
  double sum = 0;
  const size_t bytes = a.layout().row_bytes();
  for (int64_t y = 0; y < a.layout().height; ++y) {
    for (size_t i = 0; i < bytes; ++i) sum += std::abs(int{a.row(y)[i]} - int{b.row(y)[i]});
  }
  return sum / static_cast<double>(bytes * static_cast<size_t>(a.layout().height));
}

bool Equal(const Image& a, const Image& b) {
  return a.layout() == b.layout() && Checksum(a) == Checksum(b);
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The names of a PNG's chunks, in order.
std::vector<std::string> ChunksOf(const std::string& png) {
  std::vector<std::string> names;
  for (size_t at = 8; at + 12 <= png.size();) {
    names.push_back(png.substr(at + 4, 4));
    size_t length = 0;
    for (size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<uint8_t>(png[at + i]);
    at += 12 + length;
  }
  return names;
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("lossless formats give back every sample, 8 and 16 bits, with and without alpha") {
  const TemporaryFolder folder;
  TimeGuard guard("writer round trips", 60);
  for (const FileFormat format : {FileFormat::kPng, FileFormat::kTiff, FileFormat::kJxl}) {
    for (const Sample sample : {Sample::kU8, Sample::kU16}) {
      for (int bands = 1; bands <= 4; ++bands) {
        CAPTURE(bands);
        const Image image = Pattern({301, 203, bands, sample});
        const std::string path = folder / ("image" + std::string(Extension(format)));
        WriteOptions options;
        options.format = format;
        options.quality = 100;
        CHECK(Write(path, image, options).empty());
        // JPEG XL's decoder gives a profile to grey, too.
        ReadOptions as_stored;
        as_stored.keep_profile = true;
        CHECK(Equal(ReadAll(path, as_stored), image));
      }
    }
  }
  WriteOptions lossless;
  lossless.format = FileFormat::kWebp;
  lossless.quality = 100;
  const Image opaque = Pattern({120, 90, 3, Sample::kU8});
  Write(folder / "image.webp", opaque, lossless);
  CHECK(Equal(ReadAll(folder / "image.webp", {}), opaque));
}

TEST_CASE("what a format cannot hold is converted and noted") {
  const TemporaryFolder folder;
  WriteOptions jpeg;
  jpeg.format = FileFormat::kJpeg;
  jpeg.quality = 100;
  Image half({64, 64, 4, Sample::kU16});
  for (int64_t y = 0; y < 64; ++y) {
    for (int64_t i = 0; i < 256; ++i) {
      reinterpret_cast<uint16_t*>(half.row(y))[i] = i % 4 == 3 ? 32768 : 0;
    }
  }
  CHECK(Write(folder / "a.jpg", half, jpeg).size() == 2);
  const Image read = ReadAll(folder / "a.jpg", {});
  CHECK(read.layout() == Layout{64, 64, 3, Sample::kU8});
  CHECK(std::abs(read.row(30)[90] - 127) <= 1);  // black, half transparent, on white

  const Image floats = Pattern({40, 30, 3, Sample::kF32});
  CHECK(Write(folder / "b.png", floats, {}).size() == 1);
  const Image wide = ReadAll(folder / "b.png", {});
  CHECK(wide.layout().sample == Sample::kU16);
  const float expected = reinterpret_cast<const float*>(floats.row(7))[11];
  CHECK(std::abs(reinterpret_cast<const uint16_t*>(wide.row(7))[11] - expected * 65535) <= 1);

  Result<std::unique_ptr<RowWriter>> huge =
      CreateRows(folder / "c.jpg", {70000, 10, 3, Sample::kU8}, jpeg, {});
  REQUIRE(!huge);
  CHECK(huge.error().code == Code::kUnsupported);
}

TEST_CASE("a kept profile is attached again, and the file looks the same; a converted one is not") {
  if (!HaveAssets()) return;
  const TemporaryFolder folder;
  const std::string source = Asset("odd/pillow/icc_profile.png");
  REQUIRE(Probe(source, {}).value().has_icc);
  ReadOptions as_stored;
  as_stored.keep_profile = true;
  const Image stored = ReadAll(source, as_stored);
  WriteOptions options;
  options.profile_kept = true;
  Write(folder / "kept.png", stored, options, source);
  CHECK(Probe(folder / "kept.png", {}).value().has_icc);
  CHECK(Equal(ReadAll(folder / "kept.png", as_stored), stored));
  CHECK(Equal(ReadAll(folder / "kept.png", {}), ReadAll(source, {})));

  // A CMYK file's profile must never end up on RGB rows.
  const std::string cmyk = Asset("odd/sharp/Channel_digital_image_CMYK_color.jpg");
  REQUIRE(Probe(cmyk, {}).value().cmyk);
  const Image converted = ReadAll(cmyk, as_stored);
  CHECK(converted.layout().bands == 3);
  options.format = FileFormat::kTiff;
  Write(folder / "converted.tif", converted, options, cmyk);
  CHECK(!Probe(folder / "converted.tif", {}).value().has_icc);
  CHECK(Equal(ReadAll(folder / "converted.tif", {}), converted));
}

TEST_CASE("EXIF comes along, turned upright") {
  if (!HaveAssets()) return;
  const TemporaryFolder folder;
  const std::string source = Asset("odd/recurser+exif-orientation-examples/Landscape_6.jpg");
  const Image upright = ReadAll(source, {});
  for (const FileFormat format : {FileFormat::kJpeg, FileFormat::kPng, FileFormat::kWebp, FileFormat::kTiff,
                                  FileFormat::kJxl, FileFormat::kAvif}) {
    WriteOptions options;
    options.format = format;
    const std::string path = folder / ("turned" + std::string(Extension(format)));
    Write(path, upright, options, source);
    CAPTURE(path);
    CHECK(Probe(path, {}).value().orientation == 1);
    CHECK(MeanDifference(ReadAll(path, {}), upright) < 4);
  }
  // The camera's own tags survive: this picture's EXIF names the copyright holder.
  const std::string camera = Asset("odd/pillow/pil_sample_rgb.jpg");
  WriteOptions jpeg;
  jpeg.format = FileFormat::kJpeg;
  Write(folder / "camera.jpg", ReadAll(camera, {}), jpeg, camera);
  const std::string before = ReadFile(camera);
  const std::string after = ReadFile(folder / "camera.jpg");
  CHECK((before.find("Exif") == std::string::npos) == (after.find("Exif") == std::string::npos));
}

TEST_CASE("a turned picture says so nowhere any more, shows no sideways thumbnail, and keeps the rest") {
  const TemporaryFolder folder;
  const std::string corpus = IMGMILL_SOURCE_DIR "/tests/corpus/files/orientation/";
  for (const std::string source : {"both6.jpg", "both6.png", "both6.webp", "both6.tif", "exif1_xmp6.jpg",
                                   "xmp6.png", "text_ztxt.png", "text_app1.png", "text_late.png"}) {
    const Image upright = ReadAll(corpus + source, {});
    for (const FileFormat format : {FileFormat::kJpeg, FileFormat::kPng, FileFormat::kWebp, FileFormat::kTiff,
                                    FileFormat::kJxl, FileFormat::kAvif}) {
      CAPTURE(source);
      CAPTURE(Extension(format));
      WriteOptions options;
      options.format = format;
      options.quality = 100;
      const std::string path = folder / ("turned" + std::string(Extension(format)));
      Write(path, upright, options, corpus + source);
      CHECK(Probe(path, {}).value().orientation == 1);
      CHECK(MeanDifference(ReadAll(path, {}), upright) < 4);
      // What ExifTool 12.57 shows, as bytes: its XMP writes elements; the camera's name in EXIF is "Mill" or
      // "Mil".
      const std::string bytes = ReadFile(path);
      const bool had_xmp = !source.starts_with("text");
      const bool legible = format != FileFormat::kPng;  // where XMP is compressed
      CHECK(Contains(bytes, "<tiff:Orientation>1</tiff:Orientation>") == (had_xmp && legible));
      CHECK(!Contains(bytes, "<tiff:Orientation>6</tiff:Orientation>"));
      const bool both = source.starts_with("both6");
      CHECK(Contains(bytes, "hello") == (both && legible));
      // libvips writes no EXIF into TIFF.
      const bool exif = (both || !had_xmp) && format != FileFormat::kTiff;
      CHECK(Contains(bytes, "Mil") == exif);
      // The only other JPEG in there would be the thumbnail.
      const size_t jpegs = Count(bytes, "\xFF\xD8\xFF");
      CHECK(jpegs == (format == FileFormat::kJpeg ? 1 : 0));
    }
  }
  // Not turned: the thumbnail is right, and stays.
  const std::string upright_source = folder / "upright.jpg";
  std::string bytes = ReadFile(corpus + "both6.jpg");
  const size_t tag = bytes.find(std::string("\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06", 10));
  REQUIRE(tag != bytes.npos);
  bytes[tag + 9] = 1;
  WriteFile(upright_source, bytes);
  WriteOptions jpeg;
  jpeg.format = FileFormat::kJpeg;
  Write(folder / "same.jpg", ReadAll(upright_source, {}), jpeg, upright_source);
  CHECK(Count(ReadFile(folder / "same.jpg"), "\xFF\xD8\xFF") == 2);
}

TEST_CASE("a written PNG has one chunk of EXIF, and that before its pixels") {
  // PNG 1.2's extensions, "eXIf": at most one, which may not stand between IDAT chunks.
  const TemporaryFolder folder;
  const std::string corpus = IMGMILL_SOURCE_DIR "/tests/corpus/files/orientation/";
  const std::string path = folder / "written.png";
  for (const std::string source : {"both6.jpg", "both6.png", "both6.webp", "both6.tif", "text_late.png"}) {
    for (const int64_t side : {9, 700}) {  // a chunk of pixels, and many
      CAPTURE(source);
      CAPTURE(side);
      const Image image = Pattern({side, side, 3, Sample::kU8});
      Write(path, image, {}, corpus + source);
      CHECK(Equal(ReadAll(path, {}), image));
      const std::vector<std::string> chunks = ChunksOf(ReadFile(path));
      CHECK(std::count(chunks.begin(), chunks.end(), "eXIf") == 1);
      const auto pixels = std::find(chunks.begin(), chunks.end(), "IDAT");
      CHECK(std::find(chunks.begin(), pixels, "eXIf") != pixels);
      CHECK(chunks.back() == "IEND");
    }
  }
}

TEST_CASE("orientation in XMP is found under any prefix, as attribute and element") {
  const auto made_upright = [](const std::string& xmp, bool drop) {
    std::vector<uint8_t> bytes(xmp.begin(), xmp.end());
    MakeXmpUpright(bytes, drop);
    return std::string(bytes.begin(), bytes.end());
  };
  // By hand, after the XMP specification, part 1, section 7: both forms of a simple property.
  const std::string head = "<rdf:Description xmlns:t='http://ns.adobe.com/tiff/1.0/' ";
  CHECK(made_upright(head + "t:Orientation = \"8\"/>", true) == head + "t:Orientation = \"1\"/>");
  CHECK(made_upright(head + "><t:Orientation>6</t:Orientation>", true) ==
        head + "><t:Orientation>1</t:Orientation>");
  const std::string other = "<x xmlns:tiff=\"http://elsewhere/\" tiff:Orientation=\"6\"/>";
  CHECK(made_upright(other, true) == other);
  const std::string pictures =
      "<x "
      "xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"><xmp:Thumbnails><rdf:Alt>/9j/</rdf:Alt></xmp:Thumbnails><a/"
      ">";
  CHECK(made_upright(pictures, true) == "<x xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"><a/>");
  CHECK(made_upright(pictures, false) == pictures);
  for (size_t length = 0; length < pictures.size(); ++length) made_upright(pictures.substr(0, length), true);
}

TEST_CASE("a thumbnail goes out of Photoshop's resources, whatever is cut short") {
  // By hand, after Adobe's file format specification, "Image Resource Blocks".
  const auto block = [](char number, const std::string& name, const std::string& data) {
    std::string bytes = "8BIM";
    bytes += '\x04';
    bytes += number;
    bytes += static_cast<char>(name.size());
    bytes += name;
    if (name.size() % 2 == 0) bytes += '\0';
    bytes += std::string(3, '\0') + static_cast<char>(data.size()) + data;
    if (data.size() % 2 != 0) bytes += '\0';
    return bytes;
  };
  const std::string head("Photoshop 3.0\0", 14);
  const std::string whole = head + block(4, "", "iptc!") + block(12, "x", "thumbnail") + block(6, "", "end");
  std::vector<uint8_t> bytes(whole.begin(), whole.end());
  DropPhotoshopThumbnail(bytes);
  CHECK(std::string(bytes.begin(), bytes.end()) == head + block(4, "", "iptc!") + block(6, "", "end"));
  for (size_t length = 0; length < whole.size(); ++length) {
    std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    DropPhotoshopThumbnail(cut);
    CHECK(cut.size() <= length);
  }
}

TEST_CASE("a writer may be abandoned at any moment, and leaves no file") {
  const TemporaryFolder folder;
  TimeGuard guard("abandoned writers", 60);
  const Image image = Pattern({900, 700, 3, Sample::kU8});
  for (const FileFormat format : {FileFormat::kJpeg, FileFormat::kPng, FileFormat::kWebp, FileFormat::kTiff,
                                  FileFormat::kJxl, FileFormat::kAvif}) {
    for (const int64_t rows : {0, 1, 17, 350, 700}) {
      const std::string path = folder / "gone";
      WriteOptions options;
      options.format = format;
      {
        Result<std::unique_ptr<RowWriter>> writer = CreateRows(path, image.layout(), options, {});
        REQUIRE(writer.ok());
        Layout part = image.layout();
        part.height = rows;
        CHECK((*writer)->Write({image.row(0), part, image.layout().row_bytes()}).ok());
        if (rows < 700) {
          Status early = (*writer)->Finish();
          REQUIRE(!early);
        }
      }
      CHECK(access(path.c_str(), F_OK) != 0);
    }
  }
}

TEST_CASE("a full disk is told as one, and leaves no file") {
  const TemporaryFolder folder;
  TimeGuard guard("full disk", 60);
  const Image image = Pattern({2000, 1500, 3, Sample::kU8});
  const bool mounted = mount("none", folder.path().c_str(), "tmpfs", 0, "size=256k") == 0;
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  if (!mounted) {
    MESSAGE("no right to mount a tmpfs: a limit on the file's size instead");
    signal(SIGXFSZ, SIG_IGN);
    const rlimit small = {size_t{256} << 10, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  for (const FileFormat format : {FileFormat::kPng, FileFormat::kJpeg, FileFormat::kTiff, FileFormat::kWebp,
                                  FileFormat::kJxl, FileFormat::kAvif}) {
    WriteOptions options;
    options.format = format;
    options.quality = 100;
    const std::string path = folder / "full";
    CAPTURE(Extension(format));
    {
      Result<std::unique_ptr<RowWriter>> writer = CreateRows(path, image.layout(), options, {});
      REQUIRE(writer.ok());
      Status status = (*writer)->Write(image.view());
      if (status) status = (*writer)->Finish();
      REQUIRE(!status);
      CHECK(status.error().code == Code::kDiskFull);
      CHECK(status.error().stage == Stage::kWrite);
    }
    CHECK(access(path.c_str(), F_OK) != 0);
  }
  setrlimit(RLIMIT_FSIZE, &before);
  if (mounted) umount2(folder.path().c_str(), MNT_DETACH);
}
