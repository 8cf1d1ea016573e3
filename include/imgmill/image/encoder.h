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

/// Encodes images of one layout into memory. Not thread-safe.
class ImageEncoder {
 public:
  /// @param layout   of each image
  /// @param options  all but kTiff; 16 bits and alpha are kept where the format can hold them, else
  ///                 converted as CreateRows does.
  /// @param profile  ICC profile to attach to each; empty for none (see ReadProfileOf)
  /// @return kUnsupported for a size or format that cannot be had. @throws OutOfMemory
  static Result<std::unique_ptr<ImageEncoder>> Create(const Layout& layout, const WriteOptions& options,
                                                      std::vector<uint8_t> profile);
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

}  // namespace imgmill
