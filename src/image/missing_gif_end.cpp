// GIF: zeros in the place of the first image's data end it early: a block of no bytes is the last one. So
// does an end code: the decoder fills up in silence behind both.
#include <algorithm>
#include <cstring>

#include "gif_walk.h"
#include "missing_end.h"

namespace imgmill {

std::optional<Error> FindTooShortGif(const InputFile& file) {
  char begin[4] = {};
  if (!file.ReadExactly(0, begin, sizeof begin) || std::memcmp(begin, "GIF8", 4) != 0) return std::nullopt;
  GifWalk walk(file);
  const GifImage image = walk.NextImage().value_or(GifImage{});
  // A code has 2 bits at least. Its string is one longer than the longest before it, and the table has 4096.
  constexpr uint64_t kMostStrings = 4096;
  const uint64_t codes = static_cast<uint64_t>(std::max<int64_t>(0, file.bytes() - walk.offset())) * 4 + 1;
  if (codes * std::min(codes, kMostStrings) >= image.pixels()) return std::nullopt;
  return TooFewBytes(file.bytes(), image.width, image.height);
}

std::optional<Error> FindMissingGifEnd(const InputFile& file) {
  GifWalk walk(file);
  const std::optional<GifImage> image = walk.NextImage();
  return image ? walk.ReadData(*image, GifWalk::Strict::kNo) : std::nullopt;
}

}  // namespace imgmill
