// A GIF image by image: what its blocks say, and whether the data of each is whole, without making pixels.
#pragma once

#include <cstdint>
#include <optional>

#include "byte_stream.h"
#include "imgmill/base/error.h"

namespace imgmill {

/// One image of a GIF, which is drawn onto those before it.
struct GifImage {
  int width = 0;
  int height = 0;
  int hundredths = 0;  ///< of a second that it is shown
  uint64_t pixels() const { return static_cast<uint64_t>(width) * static_cast<uint64_t>(height); }
};

class GifWalk {
 public:
  /// The file must outlive it.
  explicit GifWalk(const InputFile& file) : bytes_(file, 0, size_t{16} << 10) {}

  /// To the data of the next image, which ReadData must have gone through where there was one before. Nothing
  /// behind the last one, and where the blocks do not add up: `end` tells.
  std::optional<GifImage> NextImage();
  /// The end mark, or the file's end in its place: writers forget it, and readers do not ask; the file's end
  /// within a block; bytes that begin no block.
  enum class End { kMark, kCut, kStranger };
  End end() const { return end_; }

  enum class Strict { kNo, kYes };
  /// Goes through the image's data. @return kTruncated where some of its pixels are missing; with kYes also
  /// what a decoder says otherwise: data that ends within a block, or is none
  std::optional<Error> ReadData(const GifImage& image, Strict strict);

  /// Of the next byte.
  int64_t offset() const { return bytes_.offset(); }

 private:
  int Next() { return bytes_.Next(); }
  int Word();
  bool Skip(int64_t bytes);
  bool SkipColours(int flags);
  bool SkipBlocks();
  /// Of what lies before the first image.
  bool ReadHeader();
  bool ReadExtension();

  ByteStream bytes_;
  bool begun_ = false;
  End end_ = End::kCut;
  int hundredths_ = 0;      ///< for the next image
  bool announced_ = false;  ///< that there is one
};

}  // namespace imgmill
