// Snappy by its own description, which is short; the others by their libraries.
#include "tables/decompress.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "tables/parquet_format.h"

namespace imgmill {
namespace {

using namespace parquet;

uint32_t LittleEndian(const uint8_t* bytes, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= static_cast<uint32_t>(bytes[i]) << (8 * i);
  return value;
}

/// Source: github.com/google/snappy, format_description.txt.
bool Unsnap(std::span<const uint8_t> from, std::span<uint8_t> to) {
  uint64_t length = 0;
  size_t at = 0;
  for (int shift = 0;; shift += 7) {
    if (at >= from.size() || shift > 28) return false;
    length |= static_cast<uint64_t>(from[at] & 0x7F) << shift;
    if ((from[at++] & 0x80) == 0) break;
  }
  if (length != to.size()) return false;
  size_t done = 0;
  while (at < from.size()) {
    const uint8_t tag = from[at++];
    size_t count = 0, back = 0;
    if ((tag & 3) == 0) {  // bytes as they are
      count = tag >> 2;
      if (count >= 60) {
        const size_t extra = count - 59;
        if (extra > from.size() - at) return false;
        count = LittleEndian(from.data() + at, extra);
        at += extra;
      }
      ++count;
      if (count > from.size() - at || count > to.size() - done) return false;
      std::memcpy(to.data() + done, from.data() + at, count);
      at += count;
      done += count;
      continue;
    }
    const size_t extra = (tag & 3) == 1 ? 1 : (tag & 3) == 2 ? 2 : 4;
    if (extra > from.size() - at) return false;
    back = LittleEndian(from.data() + at, extra);
    if (extra == 1) back |= static_cast<size_t>(tag >> 5) << 8;
    count = extra == 1 ? (tag >> 2 & 7) + 4U : (tag >> 2) + 1U;
    at += extra;
    if (back == 0 || back > done || count > to.size() - done) return false;
    // What is copied may reach into what it makes: a byte at a time.
    for (size_t i = 0; i < count; ++i, ++done) to[done] = to[done - back];
  }
  return done == to.size();
}

bool Gunzip(std::span<const uint8_t> from, std::span<uint8_t> to) {
  z_stream stream = {};
  constexpr int kGzipOrZlib = 32 + MAX_WBITS;
  if (inflateInit2(&stream, kGzipOrZlib) != Z_OK) return false;
  stream.next_in = const_cast<Bytef*>(from.data());
  stream.avail_in = static_cast<uInt>(from.size());
  stream.next_out = to.data();
  stream.avail_out = static_cast<uInt>(to.size());
  const int ended = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  return ended == Z_STREAM_END && stream.avail_out == 0;
}

}  // namespace

std::string CodecName(int64_t codec) {
  static constexpr const char* kNames[] = {"no compression", "Snappy", "gzip",      "LZO",
                                           "Brotli",         "LZ4",    "Zstandard", "LZ4"};
  return codec >= 0 && codec < std::ssize(kNames) ? kNames[codec] : "codec " + std::to_string(codec);
}

bool ReadsCodec(int64_t codec) {
  return codec == kUncompressed || codec == kSnappy || codec == kGzip || codec == kZstd;
}

bool Decompress(int64_t codec, std::span<const uint8_t> from, std::span<uint8_t> to) {
  if (codec == kSnappy) return Unsnap(from, to);
  if (codec == kGzip) return Gunzip(from, to);
  if (codec == kZstd) return ZSTD_decompress(to.data(), to.size(), from.data(), from.size()) == to.size();
  if (from.size() != to.size()) return false;
  std::copy(from.begin(), from.end(), to.begin());
  return true;
}

}  // namespace imgmill
