// PNG as it is read here: zlib's streams as zlib reads them, and files as libpng reads them, sound and
// broken.
#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <utility>

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

/// One block whose codes are as long as deflate has them: `before` short ones, then five literals and a match
/// again and again, of 15 bits each.
class LongCodes {
 public:
  explicit LongCodes(int before) {
    std::array<int, 258> lengths{};
    for (size_t i = 0; i < 128; ++i) lengths[i] = 8;
    lengths[kShort] = 2;
    for (size_t i = 0; i < 11; ++i) lengths[129 + i] = 3 + static_cast<int>(i);
    lengths[kEnd] = 14;
    lengths[kLong] = lengths[kMatch] = 15;
    Put(0b101, 3);  // the last block, with codes of its own
    Put(lengths.size() - 257, 5);
    Put(1, 5);
    Put(15, 4);
    for (const int length : {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15})
      Put(length < 16 ? 4 : 0, 3);
    for (const int length : lengths) PutCode(static_cast<uint32_t>(length), 4);
    for (int i = 0; i < 2; ++i) PutCode(1, 4);  // two codes for distances
    // RFC 1951, 3.2.2: the codes of a length follow one another.
    uint32_t code = 0;
    for (int length = 1; length <= 15; ++length, code <<= 1) {
      for (size_t symbol = 0; symbol < lengths.size(); ++symbol) {
        if (lengths[symbol] == length) codes_[symbol] = {code++, length};
      }
    }
    for (int i = 0; i < before; ++i) Literal(kShort);
    while (data_.size() < 120'000) {
      for (int i = 0; i < 5; ++i) Literal(kLong);
      Symbol(kMatch);
      Put(0, 1);  // distance 1
      data_.insert(data_.end(), 3, data_.back());
    }
    Symbol(kEnd);
    Put(0, 7);
    const uLong sum = adler32(adler32(0, nullptr, 0), data_.data(), static_cast<uInt>(data_.size()));
    for (int shift = 24; shift >= 0; shift -= 8) stream_.push_back(static_cast<uint8_t>(sum >> shift));
  }

  const Bytes& stream() const { return stream_; }
  const Bytes& data() const { return data_; }

 private:
  static constexpr size_t kShort = 128, kLong = 141, kEnd = 256, kMatch = 257;

  void Put(uint64_t value, int bits) {
    held_ |= value << count_;
    for (count_ += bits; count_ >= 8; count_ -= 8, held_ >>= 8)
      stream_.push_back(static_cast<uint8_t>(held_));
  }
  /// Codes begin with their highest bit.
  void PutCode(uint32_t code, int bits) {
    for (int bit = bits - 1; bit >= 0; --bit) Put(code >> bit & 1, 1);
  }
  void Symbol(size_t symbol) { PutCode(codes_[symbol].first, codes_[symbol].second); }
  void Literal(size_t symbol) {
    Symbol(symbol);
    data_.push_back(static_cast<uint8_t>(symbol));
  }

  Bytes stream_ = {0x78, 0x01}, data_;
  std::array<std::pair<uint32_t, int>, 258> codes_{};
  uint64_t held_ = 0;
  int count_ = 0;
};

}  // namespace

TEST_CASE("the longest codes of deflate are read, wherever what was read of the file ends between them") {
  std::mt19937 random(4);
  const TimeGuard guard("inflating long codes", 60);
  for (int before = 0; before < 200; ++before) {
    CAPTURE(before);
    const LongCodes made(before);
    Bytes ours, theirs;
    REQUIRE(ReadByZlib(made.stream(), made.data().size(), theirs));
    REQUIRE(theirs == made.data());
    CHECK(ReadByUs(made.stream(), made.data().size(), 1001, random, ours));
    CHECK(ours == made.data());
  }
}

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
