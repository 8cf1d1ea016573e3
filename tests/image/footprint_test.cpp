// Predicted bytes against what the kernel says: resident memory's growth while a fresh process decodes or
// encodes, for pictures of a few megapixels made here.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <vips/vips.h>

#include <cinttypes>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "image/vips_session.h"
#include "image_test.h"
#include "imgmill/memory/system_memory.h"
#include "plain_jpeg.h"

using namespace imgmill;
using namespace imgmill::image_test;

extern char** environ;

namespace {

// The kernel adds up resident pages 32 at a time and CPU (64 a thread before Linux 6.2), which four CPUs'
// share of both readings can be off by 1 MiB; and of the code that is met first with the large picture, more
// or fewer pages are mapped at once. What a wrong prediction would forget is a picture of 3 to 17 MiB or
// several.
constexpr int64_t kCounterError = int64_t{2} << 20;

// Waves and noise, so that no codec has it too easy.
ImageRef Picture(int width, int height, bool alpha) {
  InitImageLibraries();
  VipsImage* waves = nullptr;
  VipsImage* noise = nullptr;
  VipsImage* sum = nullptr;
  VipsImage* picture = nullptr;
  REQUIRE(vips_sines(&waves, width, height, "hfreq", 9.0, "vfreq", 7.0, nullptr) == 0);
  REQUIRE(vips_gaussnoise(&noise, width, height, "mean", 128.0, "sigma", 12.0, nullptr) == 0);
  VipsImage* scaled = nullptr;
  REQUIRE(vips_linear1(waves, &scaled, 80.0, 0.0, nullptr) == 0);
  REQUIRE(vips_add(scaled, noise, &sum, nullptr) == 0);
  VipsImage* grey = nullptr;
  REQUIRE(vips_cast_uchar(sum, &grey, nullptr) == 0);
  VipsImage* bands[4] = {grey, grey, grey, grey};
  REQUIRE(vips_bandjoin(bands, &picture, alpha ? 4 : 3, nullptr) == 0);
  VipsImage* srgb = nullptr;
  REQUIRE(vips_copy(picture, &srgb, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr) == 0);
  for (VipsImage* image : {waves, noise, scaled, sum, grey, picture}) g_object_unref(image);
  VipsImage* held = vips_image_new_memory();
  REQUIRE(vips_image_write(srgb, held) == 0);
  g_object_unref(srgb);
  return ImageRef(held);
}

// Runs the test case "child: ..." of this program in a process of its own. @return what it measured, bytes.
int64_t Child(const std::string& job, const std::string& path, const std::string& result) {
  std::string self = "/proc/self/exe";
  std::string filter = "-tc=child:*";
  char* arguments[] = {self.data(), filter.data(), nullptr};
  std::vector<std::string> settings = {"IMGMILL_CHILD_JOB=" + job, "IMGMILL_CHILD_PATH=" + path,
                                       "IMGMILL_CHILD_RESULT=" + result, "MALLOC_ARENA_MAX=2"};
  for (char** variable = environ; *variable != nullptr; ++variable) settings.emplace_back(*variable);
  std::vector<char*> environment;
  for (std::string& setting : settings) environment.push_back(setting.data());
  environment.push_back(nullptr);
  pid_t child = 0;
  std::ofstream(result).close();
  posix_spawn_file_actions_t quiet;  // its report would look like one of ours
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  REQUIRE(posix_spawn(&child, "/proc/self/exe", &quiet, nullptr, arguments, environment.data()) == 0);
  posix_spawn_file_actions_destroy(&quiet);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  std::ifstream file(result);
  int64_t bytes = -1;
  file >> bytes;
  REQUIRE(bytes >= 0);
  return bytes;
}

// Raw BMP (24 bits), TGA (24, or 32 with alpha) or SGI (16 bits a sample), DDS of blocks, or JPEG (.jpe) with
// a scan for each of its bands, which libvips does not write; pixels may stand on their head, or be something
// else.
void WriteRaw(const std::string& path, VipsImage* picture) {
  const int width = picture->Xsize;
  const int height = picture->Ysize;
  const auto number = [](uint32_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
    return text;
  };
  const auto u32 = [](int value) { return static_cast<uint32_t>(value); };
  const std::string pixels(static_cast<const char*>(vips_image_get_data(picture)),
                           VIPS_IMAGE_SIZEOF_IMAGE(picture));
  if (path.find(".tga") != std::string::npos) {
    const std::string zeros(9, '\0');
    WriteFile(path, number(0, 2) + number(2, 1) + zeros + number(u32(width), 2) + number(u32(height), 2) +
                        number(u32(picture->Bands * 8), 1) + number(0x20, 1) + pixels);
    return;
  }
  if (path.find(".dds") != std::string::npos) {
    const std::string zeros(56, '\0');
    WriteFile(path, "DDS " + number(124, 4) + number(0, 4) + number(u32(height), 4) + number(u32(width), 4) +
                        zeros + number(32, 4) + number(4, 4) + "DXT5" + zeros.substr(16) +
                        pixels.substr(0, static_cast<size_t>(width) * static_cast<size_t>(height)));
    return;
  }
  if (path.find(".jpe") != std::string::npos) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(pixels.data());
    WriteFile(path, PlainJpeg({.width = width, .height = height, .scan_each = true}, {bytes, pixels.size()}));
    return;
  }
  if (path.find(".sgi") != std::string::npos) {
    const auto big = [&](int value) { return number(u32(value) >> 8, 1) + number(u32(value) & 255, 1); };
    WriteFile(path, big(474) + number(0, 1) + number(2, 1) + big(3) + big(width) + big(height) +
                        big(picture->Bands) + std::string(500, '\0') + pixels + pixels);
    return;
  }
  REQUIRE(width * 3 % 4 == 0);  // rows without padding
  WriteFile(path, "BM" + number(u32(54 + width * height * 3), 4) + number(0, 4) + number(54, 4) +
                      number(40, 4) + number(u32(width), 4) + number(u32(height), 4) + number(1, 2) +
                      number(24, 2) + std::string(24, '\0') + pixels);
}

void Consume(const std::string& path) {
  Result<ImageHeader> header = Probe(path, {});
  if (!header) FAIL(header.error().message);
  Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, {});
  if (!rows) FAIL(rows.error().message);
  Status status = Drain(**rows);
  if (!status) FAIL(status.error().message);
}

/// "FORMAT QUALITY EFFORT BANDS BITS", as numbers, and "WIDTH HEIGHT" where these are to be of another shape.
struct Job {
  explicit Job(const char* text) {
    int format = 0;
    int bits = 8;
    REQUIRE(std::sscanf(text, "%d %d %d %d %d %" SCNd64 " %" SCNd64, &format, &options.quality,
                        &options.effort, &written.bands, &bits, &written.width, &written.height) >= 5);
    options.format = static_cast<FileFormat>(format);
    if (bits == 16) written.sample = Sample::kU16;
  }
  WriteOptions options;
  Layout written = {3000, 2000, 3, Sample::kU8};
};

void Produce(const std::string& path, const Layout& layout, const WriteOptions& options) {
  Result<std::unique_ptr<RowWriter>> writer = CreateRows(path, layout, options, {});
  if (!writer) FAIL(writer.error().message);
  Layout strip = layout;
  strip.height = 8;
  std::vector<uint8_t> rows(strip.row_bytes() * 8);
  uint32_t seed = 1;
  for (int64_t y = 0; y < layout.height; y += 8) {
    for (uint8_t& sample : rows)
      sample = static_cast<uint8_t>(128 + ((seed = seed * 1664525U + 1013904223U) >> 28));
    strip.height = std::min<int64_t>(8, layout.height - y);
    Status status = (*writer)->Write({rows.data(), strip, layout.row_bytes()});
    if (!status) FAIL(status.error().message);
  }
  Status finished = (*writer)->Finish();
  if (!finished) FAIL(finished.error().message);
}

}  // namespace

TEST_CASE("child: one decode or encode, measured") {
  const char* job = std::getenv("IMGMILL_CHILD_JOB");
  if (job == nullptr) return;
  const std::string path = std::getenv("IMGMILL_CHILD_PATH");
  NoHugePages();
  // As in the program, whose manager sets malloc so that freed memory goes back.
  MemoryOptions options;
  options.sample_ms = 0;
  const auto manager = MemoryManager::Create(options);
  REQUIRE(manager.ok());
  // Code, plug-ins and tables that are loaded once are nobody's footprint.
  if (std::strcmp(job, "read") == 0) {
    Consume(path + ".small");
    const MemoryGrowth growth;
    Consume(path);
    std::ofstream(std::getenv("IMGMILL_CHILD_RESULT")) << growth.Bytes();
  } else {
    const Job parsed(job);
    Layout small = parsed.written;
    small.width = small.height = 64;
    Produce(path, small, parsed.options);
    const MemoryGrowth growth;
    Produce(path, parsed.written, parsed.options);
    std::ofstream(std::getenv("IMGMILL_CHILD_RESULT")) << growth.Bytes();
  }
}

TEST_CASE("what a decoder holds stays within its predicted footprint, and not far below") {
  const TemporaryFolder folder;
  TimeGuard guard("footprints of decoders", 120);
  struct Case {
    const char* name;
    const char* suffix;  // with libvips' save options
    int width;
    int height;
    bool alpha;
  };
  const Case cases[] = {
      {"baseline JPEG", ".jpg[Q=90]", 3000, 2000, false},
      {"JPEG with a profile", ".jpg[Q=75,profile=p3]", 3000, 2000, false},
      {"wide baseline JPEG", ".jpg[Q=90]", 12000, 500, false},
      {"progressive JPEG", ".jpg[Q=75,interlace]", 3000, 2000, false},
      {"progressive JPEG 4:4:4", ".jpg[Q=90,interlace,subsample-mode=off]", 3000, 2000, false},
      {"JPEG of a scan for each band", ".jpe", 3000, 2000, false},
      {"PNG", ".png[compression=1]", 3000, 2000, false},
      {"interlaced PNG", ".png[compression=1,interlace]", 3000, 2000, true},
      {"WebP", ".webp[effort=0]", 3000, 2000, false},
      {"WebP with alpha", ".webp[effort=0]", 3000, 2000, true},
      {"TIFF", ".tif[compression=lzw]", 3000, 2000, false},
      {"TIFF of one plain strip", ".tif[tile-height=2000]", 3000, 2000, false},
      {"wide TIFF of one plain strip", ".tif[tile-height=500]", 12000, 500, true},
      {"TIFF of one deflated strip", ".tif[compression=deflate,tile-height=2000]", 3000, 2000, false},
      {"TIFF of three deflated strips", ".tif[compression=deflate,tile-height=704]", 3000, 2000, false},
      {"tiled TIFF", ".tif[tile,tile-width=256,tile-height=256]", 3000, 2000, false},
      {"tiled TIFF with tall tiles", ".tif[tile,tile-width=512,tile-height=1024]", 3000, 2000, false},
      {"GIF", ".gif[effort=1]", 1000, 1000, false},
      {"HEIC", ".heic[effort=0]", 1500, 1000, false},
      {"AVIF", ".avif[effort=0]", 1500, 1000, false},
      {"JPEG 2000", ".jp2[tile-width=4096,tile-height=4096]", 1500, 1000, false},
      {"tiled JPEG 2000", ".jp2[tile-width=256,tile-height=256]", 1500, 1000, false},
      {"JPEG XL", ".jxl[effort=3]", 1500, 1000, false},
      {"Radiance HDR", ".hdr", 2000, 1000, false},
      {"PPM", ".ppm", 3000, 2000, false},
      {"BMP", ".bmp", 3000, 2000, false},
      {"TGA with alpha", ".tga", 3000, 2000, true},
      {"DDS of blocks", ".dds", 3000, 2000, true},
      {"SGI of 16 bits", ".sgi", 3000, 2000, false},
  };
  for (const Case& c : cases) {
    CAPTURE(std::string(c.name));
    LoadModuleFor(ImageFormat::kHeif);
    LoadModuleFor(ImageFormat::kJxl);
    std::string suffix = c.suffix;
    const std::string options = suffix.substr(std::min(suffix.find('['), suffix.size()));
    suffix.resize(suffix.size() - options.size());
    const std::string path = folder / ("picture" + suffix);
    const ImageRef large = Picture(c.width, c.height, c.alpha);
    const ImageRef small = Picture(64, 64, c.alpha);
    const std::string small_path = folder / ("small" + suffix);
    if (suffix == ".jpe" || suffix == ".bmp" || suffix == ".tga" || suffix == ".dds" || suffix == ".sgi") {
      WriteRaw(path, large.get());
      WriteRaw(small_path, small.get());
    } else if (vips_image_write_to_file(large.get(), (path + options).c_str(), nullptr) != 0 ||
               vips_image_write_to_file(small.get(), (small_path + options).c_str(), nullptr) != 0) {
      MESSAGE("this libvips cannot write it: " << vips_error_buffer());
      vips_error_clear();
      continue;
    }
    REQUIRE(std::rename(small_path.c_str(), (path + ".small").c_str()) == 0);
    const ImageHeader header = Probe(path, {}).value();
    const auto predicted = static_cast<int64_t>(ReadFootprint(header, {}).total());
    const int64_t measured = Child("read", path, folder / "result");
    MESSAGE(std::string(c.name) << ": predicted " << (predicted >> 10) << " KiB, measured "
                                << (measured >> 10) << " KiB");
    CHECK(measured <= predicted + kCounterError);
    CHECK(predicted <= 3 * measured + (4 << 20));
  }
}

TEST_CASE(
    "a JPEG that is read in grey at 1/8 has room for all its rows, however it is turned and handed out") {
  if (!HaveAssets()) return;
  ImageHeader header = Probe(Asset("photos/bsds500-val/101085.jpg"), {}).value();
  header.width = 16000;
  header.height = 12000;
  constexpr size_t kPlane = size_t{2000} * 1500;
  ReadOptions grey, colour;
  grey.shrink_to_side = colour.shrink_to_side = 1000;
  grey.bands = ReadOptions::Bands::kGrey;
  colour.bands = ReadOptions::Bands::kRgb;
  // Of one of several scans there is no such plane.
  const auto plane = [&](const ReadOptions& reading) {
    ImageHeader scans = header;
    scans.several_scans = true;
    return ReadFootprint(header, reading).pooled - ReadFootprint(scans, reading).pooled;
  };
  for (const int orientation : {1, 3, 6}) {
    header.orientation = orientation;
    CHECK(plane(grey) == kPlane);
  }
  CHECK(plane(colour) == 0);
  header.bands = 1;
  CHECK(plane(colour) == kPlane);
}

TEST_CASE("what an encoder holds stays within its predicted footprint, and not far below") {
  const TemporaryFolder folder;
  TimeGuard guard("footprints of encoders", 120);
  const auto check = [&](const std::string& text) {
    CAPTURE(text);
    const Job job(text.c_str());
    const auto predicted = static_cast<int64_t>(WriteFootprint(job.written, job.options).total());
    const int64_t measured = Child(text, folder / "out", folder / "result");
    MESSAGE(Extension(job.options.format) << " " << text << ": predicted " << (predicted >> 10)
                                          << " KiB, measured " << (measured >> 10) << " KiB");
    CHECK(measured <= predicted + kCounterError);
    CHECK(predicted <= 3 * measured + (4 << 20));
  };
  for (const FileFormat format :
       {FileFormat::kPng, FileFormat::kJpeg, FileFormat::kWebp, FileFormat::kTiff, FileFormat::kAvif})
    check(std::to_string(static_cast<int>(format)) + " 90 3 3 8");
  for (const char* how :
       {"90 3 1 8", "90 3 3 8", "90 3 4 8", "90 3 3 16", "100 1 1 8", "100 1 3 8", "100 1 4 8", "100 1 3 16"})
    check(std::to_string(static_cast<int>(FileFormat::kJxl)) + " " + how);
  for (const FileFormat format : {FileFormat::kJxl, FileFormat::kAvif}) {
    for (const char* how : {"90 3 3 8 30000 16", "90 3 3 8 16 30000", "90 3 3 8 10000 64"})
      check(std::to_string(static_cast<int>(format)) + " " + how);
  }
  for (const char* how : {"60 3 3 8", "90 3 1 8", "90 3 4 8", "100 3 3 8", "100 3 3 16"})
    check(std::to_string(static_cast<int>(FileFormat::kAvif)) + " " + how);
}
