// PNG: libpng takes memory for a chunk of text as large as its length claims, before it reads one byte of it:
// 900 MB for a file of 100 bytes. So chunks before the image must lie in the file; without them there is no
// image to read either.
#include <cstring>
#include <iterator>
#include <string>

#include "image/missing_end.h"
#include "image/stored_number.h"

namespace imgmill {

std::optional<Error> FindMissingPngEnd(const InputFile& file) {
  constexpr uint64_t kSignature = 8;
  constexpr uint64_t kAround = 12;  // length, name and checksum of a chunk
  constexpr int kMostChunks = 4096;
  const auto end = static_cast<uint64_t>(file.bytes());
  uint64_t at = kSignature;
  for (int chunk = 0; chunk < kMostChunks; ++chunk) {
    unsigned char head[8] = {};
    if (!file.ReadExactly(at, head, sizeof head)) return std::nullopt;  // the decoder says so
    if (std::memcmp(head + 4, "IDAT", 4) == 0) return std::nullopt;
    const uint64_t bytes = BigEndian(head, 4) + kAround;
    if (bytes > end - at) {
      return Error{Stage::kProbe, Code::kTruncated,
                   "the file ends within a chunk before the image that claims " +
                       std::to_string(bytes - kAround) + " bytes"};
    }
    at += bytes;
  }
  return std::nullopt;
}

std::optional<Error> FindTooShortPng(const InputFile& file) {
  constexpr size_t kSides = 16;
  constexpr uint64_t kMostExpansion = 1032;               // of Deflate: 258 bytes for two codes of one bit
  constexpr uint64_t kSamples[] = {1, 0, 3, 1, 2, 0, 4};  // by the type of colour
  unsigned char begin[26] = {};
  if (!file.ReadExactly(0, begin, sizeof begin) || std::memcmp(begin, "\x89PNG\r\n\x1a\n", 8) != 0)
    return std::nullopt;
  const unsigned char* header = begin + kSides;
  if (header[9] >= std::size(kSamples)) return std::nullopt;
  const uint64_t width = BigEndian(header, 4);
  const uint64_t height = BigEndian(header + 4, 4);
  const uint64_t row_bytes = width * kSamples[header[9]] * header[8] / 8;
  if (height == 0 || row_bytes <= static_cast<uint64_t>(file.bytes()) * kMostExpansion / height)
    return std::nullopt;
  return TooFewBytes(file.bytes(), static_cast<int64_t>(width), static_cast<int64_t>(height));
}

}  // namespace imgmill
