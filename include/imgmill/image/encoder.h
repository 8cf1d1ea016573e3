// Encoding images that are whole in memory, many of one kind after another: the tiles of an image.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/image/image.h"
#include "imgmill/image/writer.h"

namespace imgmill {

/// What a file takes along beside pixels, each empty where there is none.
struct CarriedMetadata {
  std::vector<uint8_t> profile = {};  ///< ICC
  std::vector<uint8_t> exif = {};     ///< a TIFF structure, without "Exif" before it
  std::vector<uint8_t> xmp = {};
  std::vector<uint8_t> iptc = {};  ///< as JPEG has it, among Photoshop's resources
};

/// Encodes images of one layout into memory. Not thread-safe.
class ImageEncoder {
 public:
  /// @param layout   of each image
  /// @param options   16 bits and alpha are kept where the format can hold them, else converted as CreateRows
  ///                  does.
  /// @param metadata  what each takes along (see ReadProfileOf and ReadPieceMetadata)
  /// @return kUnsupported for a size or format that cannot be had. @throws OutOfMemory
  static Result<std::unique_ptr<ImageEncoder>> Create(const Layout& layout, const WriteOptions& options,
                                                      CarriedMetadata metadata);
  virtual ~ImageEncoder() = default;
  /// Encodes one image, given by a pointer for each of its rows.
  /// @return its bytes, valid until the next call
  virtual Result<std::span<const uint8_t>> Encode(std::span<const uint8_t* const> rows) = 0;
  /// What the format could not hold: "alpha flattened on white: JPEG has none".
  const std::vector<std::string>& notes() const { return notes_; }

 protected:
  std::vector<std::string> notes_;
};

/// Bytes that an encoder holds, its last result included.
Footprint EncodeFootprint(const Layout& layout, const WriteOptions& options);

/// The ICC profile in the file at `source`, if it describes rows of `layout` read from there; empty
/// otherwise, and then `notes` says why if there is one.
/// For files of WebP, which hold grey as RGB, a profile of grey becomes one of RGB.
std::vector<uint8_t> ReadProfileOf(const std::string& source, const Layout& layout,
                                   const WriteOptions& writing, std::vector<std::string>& notes);

/// The same profile, with EXIF, XMP and IPTC as they are right for pieces of the upright image: upright,
/// without thumbnails, which show all of it, and with the size of a piece where they have one.
/// @param piece  the layout of each piece; what writing.format cannot hold is left out, and noted
CarriedMetadata ReadPieceMetadata(const std::string& source, const Layout& piece, const WriteOptions& writing,
                                  std::vector<std::string>& notes);

}  // namespace imgmill
