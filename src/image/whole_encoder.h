// Encoders that want a picture as a whole: JPEG XL's and AVIF's, by libjxl and libheif themselves. libvips'
// writers of these formats drop EXIF and XMP (JPEG XL), and their lossless AVIF is none.
#pragma once

#include <cstdint>
#include <vector>

#include "image/png/png_pixels.h"
#include "imgmill/image/writer.h"
#include "write_metadata.h"

namespace imgmill {

/// Whether a format's encoder wants the picture whole.
inline bool IsWhole(FileFormat format) {
  return format == FileFormat::kJxl || format == FileFormat::kAvif;
}

/// Loads the libraries. kUnsupported, saying what is missing, if they cannot write it.
Status CanEncodeWhole(FileFormat format);

/// One file, on this thread alone, so that its bytes do not depend on how many there are.
/// @param picture  packed rows of StoredForm
Status EncodeWhole(const ImageView& picture, const WriteOptions& options, const CarriedMetadata& metadata,
                   ByteSink& sink);

/// What the encoder holds beside the picture.
size_t WholeEncoderBytes(const Layout& stored, const WriteOptions& options);

// The two of them.
Status CanEncodeJxl();
Status EncodeJxl(const ImageView& picture, const WriteOptions& options, const CarriedMetadata& metadata,
                 ByteSink& sink);
Status CanEncodeAvif();
Status EncodeAvif(const ImageView& picture, const WriteOptions& options, const CarriedMetadata& metadata,
                  ByteSink& sink);

}  // namespace imgmill
