// Goes through runs without decoding them: how far they reach is plain from their lengths.
#include "still_data.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "image/dds_header.h"
#include "image/sgi.h"

namespace imgmill {
namespace {

/// How far stored pixels reach.
struct Reach {
  int64_t pixels = 0;   ///< that are whole
  int64_t end = 0;      ///< of the bytes that hold them, from the first one on
  bool closed = false;  ///< all pixels are there, and what must follow them
};

using Stored = std::span<const uint8_t>;

Reach ReachOfTga(Stored stored, int64_t wanted, int pixel_bytes) {
  Reach reach;
  size_t at = 0;
  while (reach.pixels < wanted && at < stored.size()) {
    const int64_t count = (stored[at] & 127) + 1;
    const int64_t values = (stored[at] & 128) != 0 ? 1 : count;
    at += 1 + static_cast<size_t>(values * pixel_bytes);
    if (at > stored.size()) break;
    reach.pixels += count;
    reach.end = static_cast<int64_t>(at);
  }
  reach.closed = reach.pixels >= wanted;
  return reach;
}

Reach ReachOfQoi(Stored stored, int64_t wanted) {
  Reach reach;
  size_t at = 0;
  while (reach.pixels < wanted && at < stored.size()) {
    const uint8_t op = stored[at];
    const size_t length = op == 0xFE ? 4 : op == 0xFF ? 5 : op >> 6 == 2 ? 2 : 1;
    at += length;
    if (at > stored.size()) break;
    reach.pixels += op >> 6 == 3 && op < 0xFE ? (op & 63) + 1 : 1;
    reach.end = static_cast<int64_t>(at);
  }
  constexpr uint8_t kEnd[] = {0, 0, 0, 0, 0, 0, 0, 1};
  reach.closed = reach.pixels >= wanted && stored.size() - at >= sizeof kEnd &&
                 std::memcmp(&stored[at], kEnd, sizeof kEnd) == 0;
  return reach;
}

/// A bitmap may end anywhere by its end mark; without one, every pixel must be there.
Reach ReachOfBmp(Stored stored, int64_t width, int64_t height, int bits) {
  Reach reach;
  int64_t x = 0;
  int64_t y = 0;
  size_t at = 0;
  while (y < height && at + 1 < stored.size()) {
    const uint8_t count = stored[at];
    const uint8_t value = stored[at + 1];
    at += 2;
    if (count > 0) {
      x += count;
    } else if (value == 0) {
      x = 0;
      ++y;
    } else if (value == 1) {
      reach.closed = true;
      break;
    } else if (value == 2) {
      if (at + 2 > stored.size()) break;
      x += stored[at];
      y += stored[at + 1];
      at += 2;
    } else {
      const size_t bytes = bits == 8 ? value : (size_t{value} + 1) / 2;
      at += (bytes + 1) / 2 * 2;
      if (at > stored.size()) break;
      x += value;
    }
    reach.end = static_cast<int64_t>(at);
    reach.pixels = y * width + std::min(x, width);
  }
  // Without an end mark, rows that are all there, the last one with or without its own, and nothing more:
  // zeros in place of lost data would look like ends of rows.
  const bool all = y >= height || (y == height - 1 && x >= width);
  const bool rest =
      stored.size() - std::min(at, stored.size()) >= 2 && (stored[at] != 0 || stored[at + 1] != 1);
  reach.closed = reach.closed || (all && !rest);
  return reach;
}

void Append(std::vector<uint8_t>& fill, std::initializer_list<uint8_t> bytes, int64_t times = 1) {
  for (; times > 0; --times) {
    for (const uint8_t byte : bytes) fill.push_back(byte);
  }
}

/// Runs of black for what is missing.
std::vector<uint8_t> BlackRuns(const StillHeader& header, const Reach& reach) {
  const int64_t missing = header.width * header.height - reach.pixels;
  std::vector<uint8_t> fill;
  if (header.kind == StillKind::kBmp) Append(fill, {0, 1});
  if (header.kind == StillKind::kTga && missing > 0) {
    for (int64_t left = missing; left > 0; left -= 128) {
      fill.push_back(static_cast<uint8_t>(128 | (std::min<int64_t>(left, 128) - 1)));
      fill.insert(fill.end(), static_cast<size_t>(header.pixel_bytes), 0);
    }
  }
  if (header.kind == StillKind::kQoi && missing > 0) {
    if (header.pixel_bytes == 4) Append(fill, {0xFF, 0, 0, 0, 255});
    if (header.pixel_bytes == 3) Append(fill, {0xFE, 0, 0, 0});
    constexpr int64_t kRun = 62;
    Append(fill, {0xC0 | (kRun - 1)}, (missing - 1) / kRun);
    if ((missing - 1) % kRun > 0) fill.push_back(static_cast<uint8_t>(0xC0 | ((missing - 1) % kRun - 1)));
  }
  if (header.kind == StillKind::kQoi) Append(fill, {0, 0, 0, 0, 0, 0, 0, 1});
  if (header.kind == StillKind::kSgi) fill = BlackSgiRow(header);
  return fill;
}

Reach ReachOf(const StillHeader& header, Stored stored) {
  const int64_t wanted = header.width * header.height;
  switch (header.kind) {
    case StillKind::kTga:
      return ReachOfTga(stored, wanted, header.pixel_bytes);
    case StillKind::kQoi:
      return ReachOfQoi(stored, wanted);
    case StillKind::kSgi: {
      // Its table counts from the file's first byte.
      const auto before = static_cast<size_t>(header.pixels_at);
      const int64_t rows = SgiWholeRows(header, {stored.data() - before, stored.size() + before});
      return {rows * header.width, static_cast<int64_t>(stored.size()), rows == header.height};
    }
    default:
      return ReachOfBmp(stored, header.width, header.height, header.bits);
  }
}

std::string Where(const StillHeader& header, int64_t pixels) {
  return "image data ends at pixel " + std::to_string(pixels) + " of " +
         std::to_string(header.width * header.height);
}

/// What FFmpeg wants of an icon's bitmap: a file's header before it and the height of the image alone.
void MakeFile(const StillHeader& header, uint8_t* start) {
  const auto put = [&](size_t at, int64_t value) {
    for (size_t i = 0; i < 4; ++i) start[at + i] = static_cast<uint8_t>(value >> (8 * i));
  };
  std::memcpy(start, "BM", 2);
  put(2, header.bytes + 14);
  put(6, 0);
  put(10, header.pixels_at + 14);
  put(14 + 8, header.height);
}

bool IsRaw(const StillHeader& header) {
  return !header.compressed && header.row_bytes > 0;
}

int64_t EndOfPixels(const StillHeader& header) {
  return header.pixels_at + header.row_bytes * ((header.height + header.block_side - 1) / header.block_side);
}

/// From `at` on; of a DDS, what comes behind are smaller copies and other images.
int64_t BytesOf(const StillHeader& header) {
  return header.kind == StillKind::kDds ? EndOfPixels(header) : header.bytes;
}

/// Of the bytes that the decoder gets, those that are in the file.
int64_t BytesThere(const StillHeader& header, int64_t file_bytes) {
  return std::min(BytesOf(header), std::max<int64_t>(0, file_bytes - header.at));
}

/// Pixels that are there, in the order of rows, of those that the first so many raw bytes hold.
int64_t RawPixels(const StillHeader& header, int64_t bytes) {
  const int64_t side = header.block_side;
  if (header.kind == StillKind::kSgi) return SgiRawPixels(header, bytes);
  if (side == 1) return bytes * header.width / header.row_bytes;
  const int64_t block = header.row_bytes / ((header.width + side - 1) / side);
  const int64_t columns = std::min(header.width, bytes % header.row_bytes / block * side);
  return bytes / header.row_bytes * side * header.width + columns;
}

/// Rows that are whole, of those that the first so many bytes hold. Those of runs are counted later.
int64_t RawRows(const StillHeader& header, int64_t bytes) {
  if (!IsRaw(header)) return header.height;
  if (header.block_side == 1) return RawPixels(header, bytes) / header.width;
  return std::min(header.height, bytes / header.row_bytes * header.block_side);
}

/// Bytes that are put before those of the file.
size_t BytesBefore(const StillHeader& header) {
  if (header.kind == StillKind::kDds) return kDdsHeaderBytes;
  return header.in_icon ? 14 : 0;
}

/// Bytes that all pixels take at least, where they are not raw. A bitmap of runs may end anywhere.
int64_t FewestBytes(const StillHeader& header) {
  const int64_t pixels = header.width * header.height;
  const auto runs = [&](int64_t longest) { return (pixels - 1) / longest + 1; };
  switch (header.kind) {
    case StillKind::kTga:
      return header.compressed ? runs(128) * (1 + header.pixel_bytes) : 0;
    case StillKind::kQoi:
      return runs(62);
    case StillKind::kPng:
      return (header.width + 7) / 8 * header.height / 1032;  // Deflate of one bit a pixel
    default:
      return 0;
  }
}

/// What is missing, as far as lengths tell; empty where nothing is.
std::string MissingByLength(const StillHeader& header, int64_t there) {
  const bool raw = IsRaw(header);
  if (there >= BytesOf(header) && there > header.pixels_at && (!raw || there >= EndOfPixels(header)))
    return {};
  const int64_t behind = std::max<int64_t>(0, there - header.pixels_at);
  return Where(header, raw ? RawPixels(header, behind) : 0);
}

/// Whether a decoder makes something of a part.
bool MayKeepPart(const StillHeader& header, int64_t there) {
  // Of an SGI, some pixel must have all its channels.
  const bool none =
      header.kind == StillKind::kSgi && IsRaw(header) && RawPixels(header, there - header.pixels_at) == 0;
  return !header.in_icon && header.kind != StillKind::kPng && there > header.pixels_at && !none;
}

}  // namespace

std::optional<Error> StillTooShort(const StillHeader& header, int64_t file_bytes) {
  const int64_t there = BytesThere(header, file_bytes);
  Error error = TooFewBytes(file_bytes, header.width, header.height);
  const std::string missing = MissingByLength(header, there);
  if (missing.empty() && there - header.pixels_at >= FewestBytes(header)) return std::nullopt;
  if (!missing.empty()) error.message = missing;
  if (MayKeepPart(header, there)) error.message += kAllowTruncated;
  return error;
}

Result<StillData> ReadStillData(const InputFile& file, const StillHeader& header, bool allow_truncated) {
  const size_t before = BytesBefore(header);
  const int64_t there = BytesThere(header, file.bytes());
  StillData data;
  data.whole_rows = header.height;
  data.missing = MissingByLength(header, there);
  const bool keeps_part = allow_truncated && MayKeepPart(header, there);
  if (const std::optional<Error> too_short = StillTooShort(header, file.bytes()); too_short && !keeps_part)
    return *too_short;
  const auto stored_bytes = static_cast<size_t>(there);
  const auto wanted = static_cast<size_t>(IsRaw(header) ? std::max(there, EndOfPixels(header)) : there);
  data.buffer = Buffer(before + wanted + kStillPadding);
  uint8_t* start = data.buffer.data();
  std::memset(start, 0, before);
  const ptrdiff_t got = file.ReadAt(header.at, start + before, stored_bytes);
  if (got < 0) return ReadErrorFromErrno(Stage::kDecode, errno);
  if (got != there)
    return Error{Stage::kDecode, Code::kReadError, "the file changed while it was being read"};
  std::memset(start + before + stored_bytes, 0, wanted - stored_bytes + kStillPadding);
  data.bytes = before + wanted;
  if (header.in_icon) MakeFile(header, start);
  if (header.kind == StillKind::kDds) WriteDdsHeader(header, start);
  if (header.with_masks) start[before + (header.in_icon ? 0 : 14)] = 40;
  if (header.kind == StillKind::kSgi && IsRaw(header) && !data.missing.empty())
    BlackenSgi(header, RawPixels(header, there - header.pixels_at), start);
  if (!data.missing.empty()) data.whole_rows = RawRows(header, there - header.pixels_at);
  if (data.whole_rows == 0) return Error{Stage::kDecode, Code::kTruncated, data.missing};
  if (!header.compressed) return data;

  const auto pixels_at = static_cast<size_t>(header.pixels_at);
  const Reach reach = ReachOf(header, {start + before + pixels_at, stored_bytes - pixels_at});
  if (reach.closed) return data;
  data.missing = Where(header, reach.pixels);
  if (reach.pixels >= header.width * header.height) data.missing = "its end mark is missing";
  if (!allow_truncated) return Error{Stage::kDecode, Code::kTruncated, data.missing + kAllowTruncated};
  data.whole_rows = reach.pixels / header.width;
  if (data.whole_rows == 0) return Error{Stage::kDecode, Code::kTruncated, data.missing};
  const std::vector<uint8_t> fill = BlackRuns(header, reach);
  const size_t kept = before + pixels_at + static_cast<size_t>(reach.end);
  Buffer filled(kept + fill.size() + kStillPadding);
  std::memcpy(filled.data(), start, kept);
  std::memcpy(filled.data() + kept, fill.data(), fill.size());
  std::memset(filled.data() + kept + fill.size(), 0, kStillPadding);
  if (header.kind == StillKind::kSgi)
    BlackenSgiRows(header, reach.pixels / header.width, kept, filled.data());
  data.buffer = std::move(filled);
  data.bytes = kept + fill.size();
  return data;
}

}  // namespace imgmill
