// The luma of a JPEG at 1/8, a sample for each block of 8x8 pixels, from its DC coefficients alone.
#pragma once

#include <optional>

#include "image/open_file.h"
#include "imgmill/memory/pool_array.h"
#include "jpeg_api.h"

namespace imgmill {

/// What libjpeg decodes to JCS_GRAYSCALE at 1/8, sample by sample, in a fraction of its time: the AC
/// coefficients are stepped over, several codes at once. Only of a sequential file of one Huffman-coded scan
/// in which nothing at all is unusual, from the first bit to the end marker; nothing of any other, on which
/// libjpeg is to judge.
/// @param info  after jpeg_read_header
/// @param from  where the scan's data begins
/// @return rows of ceil(width / 8) bytes, ceil(height / 8) of them
/// @throws OutOfMemory
std::optional<PoolArray<uint8_t>> ReadJpegDcPlane(const jpeg_decompress_struct& info, const InputFile& file,
                                                  int64_t from);

/// Pooled bytes of such a plane.
size_t JpegDcPlaneBytes(int64_t width, int64_t height);

}  // namespace imgmill
