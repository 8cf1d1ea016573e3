// PNG as it is read here: zlib's streams as zlib reads them, and files as libpng reads them, sound and
// broken.
#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "image/png/inflater.h"
#include "image/png/png_rows.h"
#include "image/vips_rows.h"
#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes Deflated(const Bytes& data, int level, int strategy) {
  Bytes stream(compressBound(data.size()) + 1000);
  z_stream state{};
  REQUIRE(deflateInit2(&state, level, Z_DEFLATED, 15, 8, strategy) == Z_OK);
  state.next_in = const_cast<Bytef*>(data.data());
  state.avail_in = static_cast<uInt>(data.size());
  state.next_out = stream.data();
  state.avail_out = static_cast<uInt>(stream.size());
  REQUIRE(deflate(&state, Z_FINISH) == Z_STREAM_END);
  stream.resize(state.total_out);
  deflateEnd(&state);
  return stream;
}

/// Whether all of `bytes` come out of the stream and nothing else, as zlib sees it.
bool ReadByZlib(const Bytes& stream, size_t bytes, Bytes& data) {
  data.resize(bytes + 1);
  uLongf got = data.size();
  if (uncompress(data.data(), &got, stream.data(), stream.size()) != Z_OK) return false;
  data.resize(got);
  return got == bytes;
}

bool ReadByUs(const Bytes& stream, size_t bytes, size_t piece, std::mt19937& random, Bytes& data) {
  size_t at = 0;
  Inflater inflater(
      [&](uint8_t* to, size_t most) {
        size_t now = std::min(most, stream.size() - at);
        if (now > 1) now = 1 + random() % now;
        if (now > 0) std::memcpy(to, stream.data() + at, now);
        at += now;
        return now;
      },
      piece);
  data.clear();
  while (data.size() < bytes) {
    const size_t now = std::min(piece, bytes - data.size());
    const uint8_t* next = inflater.Next(now);
    if (next == nullptr) return false;
    data.insert(data.end(), next, next + now);
  }
  return inflater.Finish();
}

/// Of every kind: random, few values, one value, runs, text-like.
Bytes Content(int kind, size_t bytes, std::mt19937& random) {
  Bytes data(bytes);
  for (size_t i = 0; i < bytes; ++i) {
    const uint32_t drawn = static_cast<uint32_t>(random());
    const uint32_t values[] = {drawn, drawn % 4, 7, drawn % 100 < 95 ? 65 : drawn, drawn % 32 * 8};
    data[i] = static_cast<uint8_t>(values[kind]);
    if (kind == 4 && i > 40000 && drawn % 16 != 0) data[i] = data[i - 32768];
  }
  return data;
}

/// libpng, through libvips.
Result<std::unique_ptr<RowReader>> OpenByLibpng(const std::string& path, bool lenient_too) {
  return OpenVipsRows(
      [=](bool lenient) {
        MadePipeline made;
        ImageRef image(vips_image_new_from_file(path.c_str(), "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                                lenient ? VIPS_FAIL_ON_NONE : VIPS_FAIL_ON_ERROR, nullptr));
        if (!image) return made;
        made.pipeline.emplace();
        made.pipeline->image = std::move(image);
        return made;
      },
      lenient_too);
}

/// Pixels, or the error's message.
std::string Outcome(Result<std::unique_ptr<RowReader>> rows) {
  if (!rows) return rows.error().message;
  Image image((*rows)->layout());
  Status read;
  for (int64_t y = 0; y < image.layout().height && read; ++y)
    read = (*rows)->Read(1, image.row(y), image.layout().row_bytes());
  std::string text = read ? std::to_string(Checksum(image)) : read.error().message;
  for (const std::string& note : (*rows)->notes()) text += "; " + note;
  return text;
}

}  // namespace

TEST_CASE("streams are read as zlib reads them, whatever the piece, sound or broken") {
  std::mt19937 random(3);
  const TimeGuard guard("inflating", 120);
  for (int kind = 0; kind < 5; ++kind) {
    for (const size_t bytes : {size_t{0}, size_t{1}, size_t{700}, size_t{150'000}}) {
      const Bytes data = Content(kind, bytes, random);
      for (const auto& [level, strategy] : {std::pair{0, Z_DEFAULT_STRATEGY},
                                            {1, Z_DEFAULT_STRATEGY},
                                            {9, Z_DEFAULT_STRATEGY},
                                            {6, Z_FIXED},
                                            {6, Z_HUFFMAN_ONLY},
                                            {6, Z_RLE}}) {
        CAPTURE(kind);
        CAPTURE(bytes);
        CAPTURE(level);
        CAPTURE(strategy);
        const Bytes stream = Deflated(data, level, strategy);
        const size_t piece = 1 + random() % 9000;
        Bytes ours, theirs;
        CHECK(ReadByUs(stream, bytes, piece, random, ours));
        CHECK(ours == data);
        for (int damage = 0; damage < 12; ++damage) {
          Bytes broken = stream;
          if (damage % 3 == 0) {
            broken.resize(random() % broken.size());
          } else {
            broken[random() % broken.size()] ^= static_cast<uint8_t>(1 << random() % 8);
          }
          CAPTURE(damage);
          const bool right = ReadByZlib(broken, bytes, theirs);
          CHECK(ReadByUs(broken, bytes, piece, random, ours) == right);
          if (right) CHECK(ours == theirs);
        }
      }
    }
  }
}

TEST_CASE("PNG files of the assets have libpng's pixels, and most are read without it") {
  if (!HaveAssets()) return;
  int read_here = 0, others = 0;
  for (const std::string& path : AssetFiles({"odd", "photos", "sr"})) {
    const Result<ImageHeader> header = Probe(path, {});
    if (!header || header->format != ImageFormat::kPng) continue;
    CAPTURE(path);
    bool slower = false;
    Result<std::unique_ptr<RowReader>> rows = OpenPngRows(path, *header, [&] {
      slower = true;
      return OpenByLibpng(path, false);
    });
    REQUIRE(rows.ok());
    if (*rows == nullptr) {
      ++others;
      continue;
    }
    CHECK(Outcome(std::move(rows)) == Outcome(OpenByLibpng(path, false)));
    read_here += slower ? 0 : 1;
  }
  CHECK(read_here > 20);
  MESSAGE(read_here << " read here, " << others << " of kinds that libpng reads");
}

TEST_CASE("a broken PNG gives libpng's pixels, error and notes") {
  const TemporaryFolder folder;
  const TimeGuard guard("broken PNG", 120);
  const std::string whole = folder / "whole.png", broken = folder / "broken.png";
  std::mt19937 random(5);
  Image image(Layout{61, 40, 3, Sample::kU8});
  for (int64_t y = 0; y < 40; ++y) {
    for (int i = 0; i < 183; ++i) image.row(y)[i] = static_cast<uint8_t>(i * y + random() % 9);
  }
  auto writer = CreateRows(whole, image.layout(), {}, "");
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(image.view()).ok());
  REQUIRE((*writer)->Finish().ok());
  const std::string png = ReadFile(whole);
  for (int damage = 0; damage < 300; ++damage) {
    std::string bytes = png;
    const size_t at = 33 + random() % (bytes.size() - 33);
    if (damage % 3 == 0) {
      bytes.resize(at);
    } else {
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    }
    WriteFile(broken, bytes);
    const Result<ImageHeader> header = Probe(broken, {});
    if (!header) continue;
    CAPTURE(damage);
    CAPTURE(at);
    const bool lenient = damage % 2 == 0;
    Result<std::unique_ptr<RowReader>> rows =
        OpenPngRows(broken, *header, [&] { return OpenByLibpng(broken, lenient); });
    REQUIRE(rows.ok());
    if (*rows == nullptr) continue;
    CHECK(Outcome(std::move(rows)) == Outcome(OpenByLibpng(broken, lenient)));
  }
}
