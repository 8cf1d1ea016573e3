// JPEG XL and AVIF as other programs read them: djxl 0.7 (libjxl-tools), avifdec 0.11 (libavif-bin, by dav1d)
// and ExifTool 12.57, none of which shares the code that libvips reads them with.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>

#include "image_test.h"
#include "imgmill/image/encoder.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

const std::string kOrientations = IMGMILL_SOURCE_DIR "/tests/corpus/files/orientation/";

std::string OutputOf(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  CHECK_MESSAGE(::pclose(pipe) == 0, text);
  return text;
}

bool HaveReaders() {
  if (std::system("command -v djxl avifdec exiftool >/dev/null") == 0) return true;
  MESSAGE("skipped: no djxl, avifdec or exiftool (scripts/setup.sh installs them)");
  return false;
}

/// A piece of a photo with an odd number of rows and columns, in any form.
Image Photo(int bands, Sample sample) {
  const std::string path = Asset("photos/scikit-image/coffee.png");
  const Image whole = ReadAll(path, {});
  REQUIRE(whole.layout().bands == 3);
  Image photo({301, 203, bands, sample});
  for (int64_t y = 0; y < 203; ++y) {
    for (int64_t x = 0; x < 301; ++x) {
      for (int b = 0; b < bands; ++b) {
        const bool alpha = bands % 2 == 0 && b == bands - 1;
        const int value = alpha ? static_cast<int>((x + y) % 256) : whole.row(y + 20)[(x + 20) * 3 + b];
        const int64_t at = x * bands + b;
        if (sample == Sample::kU8) {
          photo.row(y)[at] = static_cast<uint8_t>(value);
        } else {
          reinterpret_cast<uint16_t*>(photo.row(y))[at] =
              static_cast<uint16_t>(std::min<int64_t>(value * 257 + x % 97, 65535));
        }
      }
    }
  }
  return photo;
}

void Write(const std::string& path, const Image& image, const WriteOptions& options,
           const std::string& metadata_from = {}) {
  auto writer = CreateRows(path, image.layout(), options, metadata_from);
  if (!writer) FAIL(writer.error().message);
  REQUIRE((*writer)->Write(image.view()).ok());
  const Status finished = (*writer)->Finish();
  if (!finished) FAIL(finished.error().message);
}

Image ReadByOthers(const TemporaryFolder& folder, const std::string& path, FileFormat format) {
  const std::string png = folder / "others.png";
  OutputOf((format == FileFormat::kJxl ? "djxl '" : "avifdec '") + path + "' '" + png + "'");
  // djxl writes down sRGB's curve for grey as a profile; the numbers are wanted as they are.
  ReadOptions as_stored;
  as_stored.keep_profile = true;
  return ReadAll(png, as_stored);
}

double ValueOf(const Image& image, int64_t x, int64_t y, int band) {
  // avifdec makes three bands of grey, and djxl and avifdec give 16 bits for more than 8.
  const Layout& layout = image.layout();
  const int64_t at = x * layout.bands + band;
  return layout.sample == Sample::kU8 ? image.row(y)[at] / 255.0
                                      : reinterpret_cast<const uint16_t*>(image.row(y))[at] / 65535.0;
}

struct Difference {
  double largest = 0;  // of 1
  double psnr = 0;
};

Difference Compare(const Image& image, const Image& read) {
  const int bands = image.layout().bands;
  REQUIRE(read.layout().width == image.layout().width);
  REQUIRE(read.layout().height == image.layout().height);
  Difference difference;
  double squares = 0;
  for (int64_t y = 0; y < image.layout().height; ++y) {
    for (int64_t x = 0; x < image.layout().width; ++x) {
      for (int b = 0; b < bands; ++b) {
        const bool alpha = bands % 2 == 0 && b == bands - 1;
        const double off = ValueOf(image, x, y, b) - ValueOf(read, x, y, alpha ? read.layout().bands - 1 : b);
        difference.largest = std::max(difference.largest, std::abs(off));
        squares += off * off;
      }
    }
  }
  const auto samples = static_cast<double>(image.layout().width * image.layout().height * bands);
  difference.psnr = squares == 0 ? 1000 : 10 * std::log10(samples / squares);
  return difference;
}

}  // namespace

TEST_CASE("other programs read JPEG XL and AVIF as they were written, 8 and 16 bits, grey and alpha") {
  if (!HaveAssets() || !HaveReaders()) return;
  const TemporaryFolder folder;
  TimeGuard guard("JPEG XL and AVIF read by others", 120);
  for (const FileFormat format : {FileFormat::kJxl, FileFormat::kAvif}) {
    for (const Sample sample : {Sample::kU8, Sample::kU16}) {
      for (int bands = 1; bands <= 4; ++bands) {
        CAPTURE(Extension(format));
        CAPTURE(BytesPerSample(sample));
        CAPTURE(bands);
        const Image photo = Photo(bands, sample);
        WriteOptions options;
        options.format = format;
        options.quality = 100;
        const std::string path = folder / ("photo" + std::string(Extension(format)));
        Write(path, photo, options);
        const double exact = Compare(photo, ReadByOthers(folder, path, format)).largest;
        // Of 16 bits AVIF holds 12: half of one of 4095 steps is lost at most, and half a step of 16 bits by
        // avifdec.
        const bool twelve = format == FileFormat::kAvif && sample == Sample::kU16;
        CHECK(exact <= (twelve ? 0.5 / 4095 + 0.5 / 65535 + 1e-9 : 0));
        if (bands == 3) {
          options.quality = 90;
          Write(path, photo, options);
          const double fine = Compare(photo, ReadByOthers(folder, path, format)).psnr;
          CHECK(fine > (format == FileFormat::kJxl ? 32 : 41));  // a table with spoons: all edges
          CHECK(fine < 60);
          options.quality = 50;
          Write(path, photo, options);
          const double coarse = Compare(photo, ReadByOthers(folder, path, format)).psnr;
          CHECK(coarse > 27);
          CHECK(coarse < fine - 2);
        }
      }
    }
  }
}

TEST_CASE("colours of AVIF and JPEG are stored in full or at half, whatever the quality, as asked for") {
  if (!HaveAssets() || !HaveReaders()) return;
  const TemporaryFolder folder;
  const Image photo = Photo(3, Sample::kU8);
  for (const Chroma chroma : {Chroma::kFull, Chroma::kHalf}) {
    for (const int quality : {50, 95}) {
      WriteOptions options;
      options.quality = quality;
      options.chroma = chroma;
      options.format = FileFormat::kAvif;
      const bool full = chroma == Chroma::kFull;
      Write(folder / "a.avif", photo, options);
      const std::string told = OutputOf("avifdec --info '" + (folder / "a.avif") + "'");
      CHECK(told.find(full ? "YUV444" : "YUV420") != std::string::npos);
      options.format = FileFormat::kJpeg;
      Write(folder / "a.jpg", photo, options);
      CHECK(OutputOf("exiftool -s3 -YCbCrSubSampling '" + (folder / "a.jpg") + "'") ==
            (full ? "YCbCr4:4:4 (1 1)\n" : "YCbCr4:2:0 (2 2)\n"));
      auto encoder = ImageEncoder::Create(photo.layout(), options, {});
      REQUIRE(encoder.ok());
      std::vector<const uint8_t*> rows;
      for (int64_t y = 0; y < photo.layout().height; ++y) rows.push_back(photo.row(y));
      const auto bytes = (*encoder)->Encode(rows);
      REQUIRE(bytes.ok());
      WriteFile(folder / "b.jpg", {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
      CHECK(OutputOf("exiftool -s3 -YCbCrSubSampling '" + (folder / "b.jpg") + "'") ==
            (full ? "YCbCr4:4:4 (1 1)\n" : "YCbCr4:2:0 (2 2)\n"));
    }
  }
}

TEST_CASE("EXIF, XMP and the profile are where ExifTool looks for them, and say the size that is written") {
  if (!HaveAssets() || !HaveReaders()) return;
  const TemporaryFolder folder;
  // Turned by EXIF and by XMP, with a thumbnail: 20 by 30 once upright.
  const std::string source = kOrientations + "both6.jpg";
  const Image upright = ReadAll(source, {});
  for (const FileFormat format : {FileFormat::kJxl, FileFormat::kAvif, FileFormat::kPng}) {
    CAPTURE(Extension(format));
    WriteOptions options;
    options.format = format;
    const std::string path = folder / ("turned" + std::string(Extension(format)));
    Write(path, upright, options, source);
    CHECK(OutputOf("exiftool -s3 -n -EXIF:Make -EXIF:Orientation -EXIF:ExifImageWidth -EXIF:ExifImageHeight "
                   "-XMP-dc:Title -XMP-tiff:Orientation -EXIF:ThumbnailImage '" +
                   path + "'") == "Mill\n1\n20\n30\nhello\n1\n");
  }
  // A file with a profile that no format names by number.
  const std::string coloured = Asset("odd/pillow/icc_profile.png");
  ReadOptions keeping;
  keeping.keep_profile = true;
  const Image picture = ReadAll(coloured, keeping);
  const std::string before = OutputOf("exiftool -s3 -ICC_Profile:ProfileDescription '" + coloured + "'");
  REQUIRE(before.size() > 1);
  for (const int quality : {90, 100}) {
    WriteOptions options;
    options.format = FileFormat::kAvif;
    options.quality = quality;
    options.profile_kept = true;
    Write(folder / "coloured.avif", picture, options, coloured);
    CHECK(OutputOf("exiftool -s3 -ICC_Profile:ProfileDescription '" + (folder / "coloured.avif") + "'") ==
          before);
    // ExifTool 12.57 knows none of JPEG XL's profiles; libvips gives the bytes back.
    options.format = FileFormat::kJxl;
    Write(folder / "coloured.jxl", picture, options, coloured);
    std::vector<std::string> notes;
    if (quality == 100) {
      CHECK(ReadProfileOf(folder / "coloured.jxl", picture.layout(), options, notes) ==
            ReadProfileOf(coloured, picture.layout(), options, notes));
      CHECK(Compare(picture, ReadAll(folder / "coloured.jxl", keeping)).largest == 0);
      CHECK(Compare(picture, ReadAll(folder / "coloured.avif", keeping)).largest == 0);
    }
  }
}
