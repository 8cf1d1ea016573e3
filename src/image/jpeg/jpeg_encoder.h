// libjpeg-turbo's compressor into memory: an image of a tile's size costs no pipeline and no thread.
#pragma once

#include <csetjmp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/image/encoder.h"
#include "imgmill/image/image.h"
#include "jpeg_api.h"

namespace imgmill {

/// What stands before EXIF and XMP in their markers (EXIF 2.3, 4.7.2; XMP part 3, 1.1.3).
inline constexpr std::string_view kJpegExifName{"Exif\0\0", 6};
inline constexpr std::string_view kJpegXmpName{"http://ns.adobe.com/xap/1.0/\0", 29};

/// One compressor for many images of one layout. Not thread-safe.
class JpegEncoder {
 public:
  /// @param layout   8-bit, 1 or 3 bands
  /// @param full_chroma  colours are stored at full resolution, not at half
  /// @param metadata     each but the profile of no more than a marker holds
  JpegEncoder(const Layout& layout, int quality, bool full_chroma, CarriedMetadata metadata);
  ~JpegEncoder();
  JpegEncoder(const JpegEncoder&) = delete;
  JpegEncoder& operator=(const JpegEncoder&) = delete;

  /// @return the file's bytes, valid until the next call
  Result<std::span<const uint8_t>> Encode(std::span<const uint8_t* const> rows);

 private:
  struct Errors {
    jpeg_error_mgr base;  // first: libjpeg hands a pointer to it back
    JpegEncoder* owner;
  };
  struct Destination {
    jpeg_destination_mgr base;
    JpegEncoder* owner;
  };
  void Compress(std::span<const uint8_t* const> rows);
  void WriteMetadata();
  [[noreturn]] static void OnError(j_common_ptr info);
  static void Begin(j_compress_ptr info);
  static boolean Grow(j_compress_ptr info);
  static void End(j_compress_ptr info);

  Layout layout_;
  int quality_;
  bool full_chroma_;
  CarriedMetadata metadata_;  ///< with the markers' names
  jpeg_compress_struct info_{};
  Errors errors_{};
  Destination destination_{};
  std::jmp_buf jump_{};
  bool created_ = false;
  std::vector<uint8_t> bytes_;
  size_t used_ = 0;
  std::string message_;
};

}  // namespace imgmill
