// EXIF, XMP and IPTC in tiles, as ExifTool reads them.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "program.h"

namespace imgmill::process_test {
namespace {

bool HaveExifTool() {
  if (std::system("command -v exiftool >/dev/null") == 0) return true;
  MESSAGE("skipped: no exiftool (scripts/setup.sh installs it)");
  return false;
}

std::string OutputOf(const std::string& command) {
  // ExifTool warns of a name before the block in a WebP, where libvips writes it.
  std::FILE* const pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  for (char block[4096]; const size_t got = std::fread(block, 1, sizeof block, pipe);)
    text.append(block, got);
  ::pclose(pipe);
  return text;
}

/// A photo on its side, 300 by 400 once upright, with sizes and thumbnails wherever they can stand.
std::string Photo(const TestFolder& where) {
  const std::string path = where / "in/photo.jpg";
  std::filesystem::create_directories(where / "in");
  WriteLargeJpeg(path, 400, 300);
  WriteLargeJpeg(where / "small.jpg", 40, 30);
  const std::string told = OutputOf(
      "exiftool -q -n -overwrite_original -EXIF:Orientation=6 -EXIF:Make=Mill "
      "-EXIF:DateTimeOriginal='2020:01:02 "
      "03:04:05' -EXIF:GPSLatitude=47.5 -EXIF:GPSLatitudeRef=N -EXIF:ExifImageWidth=400 "
      "-EXIF:ExifImageHeight=300 "
      "-IFD0:ImageWidth=400 -IFD0:ImageHeight=300 -XMP-dc:Title=hello -XMP-tiff:Orientation=6 "
      "-XMP-tiff:ImageWidth=400 -XMP-tiff:ImageHeight=300 -XMP-exif:ExifImageWidth=400 "
      "-XMP-exif:ExifImageHeight=300 -IPTC:City=Bern '-ThumbnailImage<=" +
      (where / "small.jpg") + "' '-PhotoshopThumbnail<=" + (where / "small.jpg") + "' '" + path + "'");
  REQUIRE(told == "");
  REQUIRE(OutputOf("exiftool -s3 -n -IFD0:ImageWidth -XMP-exif:ExifImageWidth -IFD1:ThumbnailLength '" +
                   path + "'")
              .starts_with("400\n400\n"));
  return path;
}

}  // namespace

TEST_CASE("tiles keep EXIF and XMP where that is asked for: upright, of their own size, without thumbnails") {
  if (!HaveExifTool()) return;
  const TestFolder where;
  const std::string photo = Photo(where);
  const std::string exif = "Mill\n2020:01:02 03:04:05\n47.5\n1\n128\n128\n";
  const std::string xmp = "hello\n1\n128\n128\n128\n128\n";
  for (const auto& [format, ending] : std::vector<std::pair<std::string, std::string>>{{"png", "png"},
                                                                                       {"jpg", "jpg"},
                                                                                       {"webp", "webp"},
                                                                                       {"tiff", "tif"},
                                                                                       {"jxl", "jxl"},
                                                                                       {"avif", "avif"}}) {
    CAPTURE(format);
    const std::string out = where / format;
    const ProcessResult result =
        Run({"tile", photo, "-o", out, "--size", "128", "--format", format, "--keep-metadata", "-v"});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(CountFiles(out) == 3 * 4 + 1);
    for (const char* place : {"_00000_00000.", "_00172_00272."}) {
      const std::string tile = out + "/photo" + place + ending;
      CAPTURE(tile);
      REQUIRE(TestFolder::Exists(tile));
      CHECK(OutputOf("exiftool -s3 -n -EXIF:Make -EXIF:DateTimeOriginal -EXIF:GPSLatitude -EXIF:Orientation "
                     "-EXIF:ExifImageWidth -EXIF:ExifImageHeight '" +
                     tile + "'") == (format == "tiff" ? "1\n" : exif));
      if (format != "tiff")
        CHECK(OutputOf("exiftool -s3 -n -IFD0:ImageWidth -IFD0:ImageHeight '" + tile + "'") == "128\n128\n");
      CHECK(OutputOf("exiftool -s3 -n -XMP-dc:Title -XMP-tiff:Orientation -XMP-tiff:ImageWidth "
                     "-XMP-tiff:ImageHeight "
                     "-XMP-exif:ExifImageWidth -XMP-exif:ExifImageHeight '" +
                     tile + "'") == xmp);
      CHECK(OutputOf("exiftool -s3 -IPTC:City '" + tile + "'") == (format == "jpg" ? "Bern\n" : ""));
      CHECK(OutputOf("exiftool -s3 -ThumbnailImage -PhotoshopThumbnail -IFD1:all '" + tile + "'") == "");
      CHECK(OutputOf("exiftool -s3 -validate -warning -error '" + tile + "'").find("rror") ==
            std::string::npos);
    }
    if (format == "tiff") CHECK(result.err.find("EXIF is not kept") != std::string::npos);
    if (format != "jpg") CHECK(result.err.find("IPTC is not kept") != std::string::npos);
  }
}

TEST_CASE("enlarged images hold IPTC in a JPEG, and no part of it in others, which is told") {
  if (!HaveExifTool()) return;
  const TestFolder where;
  const std::string photo = Photo(where);
  for (const auto& [format, ending] : std::vector<std::pair<std::string, std::string>>{
           {"png", "png"}, {"jpg", "jpg"}, {"webp", "webp"}, {"tiff", "tif"}, {"jxl", "jxl"}}) {
    CAPTURE(format);
    const ProcessResult result = Run({"upscale", photo, "-o", where / format, "--method", "linear", "--scale",
                                      "1", "--format", format, "-v"});
    REQUIRE(result.exit_code == 0);
    const std::string made = (where / format) + "/photo." + ending;
    CHECK(OutputOf("exiftool -s3 -IPTC:City '" + made + "'") == (format == "jpg" ? "Bern\n" : ""));
    CHECK(OutputOf("exiftool -s3 -warning '" + made + "'").find("IPTC") == std::string::npos);
    CHECK((result.err.find("IPTC is not kept") != std::string::npos) == (format != "jpg"));
  }
}

TEST_CASE("tiles hold none of it without the option, and are made again with it") {
  if (!HaveExifTool()) return;
  const TestFolder where;
  const std::string photo = Photo(where);
  for (const char* format : {"png", "jpg", "webp", "jxl", "avif"}) {
    CAPTURE(format);
    const std::string out = where / format;
    const std::vector<std::string> plain = {"tile", photo,      "-o",   out,     "--size",
                                            "128",  "--format", format, "--json"};
    REQUIRE(Json(Run(plain))["done"] == 1);
    const std::string tile = out + "/photo_00000_00000." + format;
    CHECK(OutputOf("exiftool -s3 -EXIF:Make -EXIF:DateTimeOriginal -EXIF:GPSLatitude -XMP:all -IPTC:all '" +
                   tile + "'") == "");
    std::vector<std::string> with = plain;
    with.push_back("--keep-metadata");
    CHECK(Json(Run(with))["done"] == 1);
    CHECK(OutputOf("exiftool -s3 -EXIF:Make '" + tile + "'") == "Mill\n");
    CHECK(Json(Run(with))["skipped"] == 1);
  }
}

TEST_CASE("each of a pair keeps its own, and what a JPEG's markers cannot hold is told") {
  if (!HaveExifTool()) return;
  const TestFolder where;
  std::filesystem::create_directories(where / "HQ");
  std::filesystem::create_directories(where / "LQ");
  WriteLargeJpeg(where / "HQ/a.jpg", 256, 256);
  WriteLargeJpeg(where / "LQ/a.jpg", 128, 128);
  REQUIRE(OutputOf("exiftool -q -overwrite_original -EXIF:Make=High '" + (where / "HQ/a.jpg") + "'") == "");
  REQUIRE(OutputOf("exiftool -q -overwrite_original -EXIF:Make=Low '" + (where / "LQ/a.jpg") + "'") == "");
  REQUIRE(Run({"tile", where / "HQ", "--pair", where / "LQ", "-o", where / "out", "--size", "128", "--format",
               "jpg", "--keep-metadata"})
              .exit_code == 0);
  CHECK(OutputOf("exiftool -s3 -EXIF:Make '" + (where / "out/HQ/a_00128_00000.jpg") + "'") == "High\n");
  CHECK(OutputOf("exiftool -s3 -EXIF:Make '" + (where / "out/LQ/a_00128_00000.jpg") + "'") == "Low\n");

  // A PNG has room for more.
  REQUIRE(Run({"upscale", where / "LQ/a.jpg", "-o", where / "long", "--method", "nearest"}).exit_code == 0);
  const std::string title(70'000, 'x');
  where.Write("title.txt", title);
  REQUIRE(OutputOf("exiftool -q -overwrite_original '-XMP-dc:Title<=" + (where / "title.txt") + "' '" +
                   (where / "long/a.png") + "'") == "");
  const ProcessResult result = Run({"tile", where / "long", "-o", where / "cut", "--size", "128", "--format",
                                    "jpg", "--keep-metadata", "-v"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(result.err.find("XMP is not kept: it has more than the 64 KiB") != std::string::npos);
  CHECK(OutputOf("exiftool -s3 -XMP-dc:Title -EXIF:Make '" + (where / "cut/a_00000_00000.jpg") + "'") ==
        "Low\n");
}

}  // namespace imgmill::process_test
