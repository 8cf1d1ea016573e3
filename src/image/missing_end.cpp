// Which format it is, and the walk over JPEG 2000's tile-parts (ISO 15444-1, A.4.2 and I.4).
#include "missing_end.h"

#include <algorithm>
#include <string>
#include <vector>

#include "image/jpeg2000/jpeg2000_tables.h"
#include "stored_number.h"

namespace imgmill {
namespace {

Error Missing(const std::string& what) {
  return {Stage::kDecode, Code::kTruncated, what};
}

/// Big-endian numbers of a file; 0 beyond its end.
class FileNumbers {
 public:
  explicit FileNumbers(const InputFile& file) : file_(file), end_(static_cast<uint64_t>(file.bytes())) {}
  uint64_t end() const { return end_; }
  uint64_t At(uint64_t offset, size_t bytes) const {
    unsigned char raw[8] = {};
    if (offset > end_ || file_.ReadAt(static_cast<int64_t>(offset), raw, bytes) < 0) return 0;
    return BigEndian(raw, bytes);
  }

 private:
  const InputFile& file_;
  uint64_t end_;
};

constexpr uint64_t kTilePart = 0xFF90;       // SOT
constexpr uint64_t kCodestreamEnd = 0xFFD9;  // EOC

std::optional<Error> FindMissingJpeg2000End(const InputFile& input) {
  const FileNumbers file(input);
  const std::optional<Jpeg2000Codestream> stream = FindJpeg2000Codestream(input);
  if (!stream || stream->end > file.end()) return std::nullopt;
  uint64_t at = stream->at + 2;
  while (at + 4 <= stream->end && file.At(at, 2) != kTilePart) {  // segments of the main header
    if (file.At(at, 1) != 0xFF) return std::nullopt;
    at += 2 + std::max<uint64_t>(2, file.At(at + 2, 2));
  }
  constexpr uint64_t kShortest = 14;  // SOT's segment and SOD
  // A packet without data, as flat parts of an image have them, is one zero. More zeros at the end of a
  // tile-part stand for nothing, but for some that the last code-block's data may end in.
  constexpr uint64_t kStray = 32;
  const Jpeg2000Tables tables = ReadJpeg2000Tables(input, ReadJpeg2000Layout(input));
  const uint64_t most_zeros = static_cast<uint64_t>(tables.packets) + kStray;
  const auto unwritten = [&](uint64_t from, uint64_t end, uint64_t part) -> std::optional<Error> {
    const uint64_t zeros = ZerosAtEnd(input, from, end - from, end - from);
    if (zeros <= most_zeros) return std::nullopt;
    return Missing("JPEG 2000 data of its tile-part " + std::to_string(part) + " ends in " +
                   std::to_string(zeros) + " zeros that encode nothing");
  };
  uint64_t parts = 0;
  while (at + 2 <= stream->end && file.At(at, 2) == kTilePart) {
    const uint64_t bytes = file.At(at + 6, 4);
    if (bytes == 0) {  // extends to the end of the codestream
      const uint64_t zeros = ZerosAtEnd(input, at, stream->end - at, stream->end - at);
      const uint64_t last = stream->end - zeros;
      if (last >= at + 2 && file.At(last - 2, 2) == kCodestreamEnd) return unwritten(at, last - 2, parts + 1);
      if (zeros < 2) return std::nullopt;
      return Missing("JPEG 2000 data ends in " + std::to_string(zeros) + " zeros, without an end marker");
    }
    if (bytes < kShortest || bytes > stream->end - at) return std::nullopt;
    at += bytes;
    ++parts;
    if (const std::optional<Error> missing = unwritten(at - bytes, at, parts)) return missing;
  }
  // Some encoders leave the end marker out: then the codestream ends here.
  if (parts == 0 || at == stream->end || file.At(at, 2) == kCodestreamEnd) return std::nullopt;
  return Missing("JPEG 2000 data has no end marker after its tile-part " + std::to_string(parts) +
                 ": the end of the file was never written, or is garbled");
}

}  // namespace

uint64_t ZerosAtEnd(const InputFile& file, uint64_t at, uint64_t bytes, uint64_t most) {
  std::vector<unsigned char> piece(size_t{4} << 10);
  uint64_t zeros = 0;
  while (zeros < std::min(bytes, most)) {
    const uint64_t left = std::min(bytes, most) - zeros;
    const size_t now = static_cast<size_t>(std::min<uint64_t>(left, piece.size()));
    const auto from = static_cast<int64_t>(at + bytes - zeros - now);
    if (file.ReadAt(from, piece.data(), now) != static_cast<ptrdiff_t>(now)) return zeros;
    for (size_t i = now; i > 0; --i, ++zeros) {
      if (piece[i - 1] != 0) return zeros;
    }
  }
  return zeros;
}

std::optional<Error> FindMissingEnd(const InputFile& file, ImageFormat format) {
  if (format == ImageFormat::kTiff) return FindMissingTiffEnd(file);
  if (format == ImageFormat::kGif) return FindMissingGifEnd(file);
  if (format == ImageFormat::kWebp) return FindMissingWebpEnd(file, 0, static_cast<uint64_t>(file.bytes()));
  if (format == ImageFormat::kJp2k) return FindMissingJpeg2000End(file);
  if (format == ImageFormat::kHeif) return FindMissingAvifEnd(file);
  if (format == ImageFormat::kExr) return FindMissingExrEnd(file);
  return std::nullopt;
}

}  // namespace imgmill
