// Whether a file's own structure shows that the end of its image was never written: a download that was
// given its full size beforehand has zeros there, and the decoders of some formats draw them in silence.
#pragma once

#include <optional>

#include "imgmill/base/error.h"
#include "imgmill/base/image_format.h"
#include "open_file.h"

namespace imgmill {

/// Looks at GIF, JPEG 2000, WebP, AVIF, TIFF and OpenEXR; the decoders of the other compressed formats (JPEG,
/// PNG, HEIF, JPEG XL) and of PNM find it out themselves, and in uncompressed ones (PNM, PFM, BMP, plain
/// TIFF) zeros are black. What lies behind the image's end is nobody's business. @return
/// kTruncated, in words; nothing where all is there, or where the decoder will say what is wrong
std::optional<Error> FindMissingEnd(const InputFile& file, ImageFormat format);

/// One format each, for FindMissingEnd.
std::optional<Error> FindMissingGifEnd(const InputFile& file);
/// Of the WebP file that lies at `at`, `bytes` long.
std::optional<Error> FindMissingWebpEnd(const InputFile& file, uint64_t at, uint64_t bytes);
/// Of a frame whose chunks lie at `at`.
std::optional<Error> FindMissingWebpFrameEnd(const InputFile& file, uint64_t at, uint64_t bytes);
std::optional<Error> FindMissingAvifEnd(const InputFile& file);
std::optional<Error> FindMissingTiffEnd(const InputFile& file);
std::optional<Error> FindMissingExrEnd(const InputFile& file);

/// Of the chunks before a PNG's image, and of OpenEXR's header: asked when a file is probed, before
/// libraries take memory for what these claim.
std::optional<Error> FindMissingPngEnd(const InputFile& file);
std::optional<Error> FindMissingExrHeader(const InputFile& file);

struct TiffFacts;

/// Of all pixels, by the header and the file's size alone and what the compression can do at most: asked when
/// a file is probed, for ImageHeader::too_short. Nothing for a file of another format.
std::optional<Error> FindTooShortGif(const InputFile& file);
std::optional<Error> FindTooShortPng(const InputFile& file);
std::optional<Error> FindTooShortTiff(const TiffFacts& facts, int64_t file_bytes);

/// Bytes of zeros at the end of `bytes` bytes from `at` on, looking back over no more than `most`.
uint64_t ZerosAtEnd(const InputFile& file, uint64_t at, uint64_t bytes, uint64_t most);

}  // namespace imgmill
