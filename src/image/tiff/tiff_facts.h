// What a TIFF's first directory says about its pixels, checked and bounded: how they are cut into strips or
// tiles, how many bytes they must take, and what the samples beside the colours are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "image/open_file.h"
#include "image/patched_source.h"

namespace imgmill {

/// Numbers as stored, with the specification's defaults where a tag is missing; none has been believed yet.
struct TiffFacts {
  uint64_t width = 0;
  uint64_t height = 0;
  uint64_t samples = 1;
  uint64_t bits = 1;    ///< of a sample; 0 where they differ
  uint64_t format = 1;  ///< SampleFormat: 1 unsigned, 2 signed, 3 float, 5 and 6 complex; 0 where they differ
  uint64_t compression = 1;
  uint64_t photometric = 0;
  bool camera_raw = false;  ///< what a sensor saw, perhaps with a small picture in front of it
  bool separate = false;    ///< PlanarConfiguration 2: of several samples, each in a plane of its own
  bool tiled = false;
  uint64_t block_width = 0;  ///< of a strip or tile
  uint64_t block_rows = 0;
  uint64_t blocks = 0;          ///< strips or tiles of all planes, as many as have an offset
  std::vector<uint64_t> extra;  ///< ExtraSamples: what the samples behind the colours are
  /// What makes PlanarConfiguration 2 a 1 where there is one sample a pixel, so that both mean the same;
  /// libvips refuses tiles of the former, and holds whole strips.
  std::optional<FilePatch> in_one_plane;
};

/// Nothing if it is no TIFF, or its directory cannot be read.
std::optional<TiffFacts> ReadTiffFacts(const InputFile& file);

/// Bytes that a row of a block takes when it is decoded; at most what 64 bits hold.
uint64_t TiffBlockRowBytes(const TiffFacts& facts);

/// Rows that are read at once. libtiff reads a single uncompressed strip in pieces of 8 KiB.
uint64_t TiffRowsAtOnce(const TiffFacts& facts);

/// Strips or tiles that an image of its size is cut into; at most what 64 bits hold.
uint64_t TiffBlocksNeeded(const TiffFacts& facts);

/// Whether the file is too short for its first strip or tile, by what its compression can do at most. Of
/// compressions without such a limit nothing is said.
bool TiffCannotHold(const TiffFacts& facts, int64_t file_bytes);

/// Which of a pixel's samples are what, where the file says so.
struct TiffRoles {
  int colours = 0;  ///< 1 grey, 3 RGB or Lab, 4 CMYK
  int alpha = -1;   ///< the sample that is alpha, -1 for none
};
/// Nothing if the file does not say what its extra samples are, or has none.
std::optional<TiffRoles> TiffRolesOf(const TiffFacts& facts);

/// Why nothing here can decode it: a compression that libtiff was built without; empty if it can.
std::string TiffCodecMissing(const TiffFacts& facts);

/// Why libvips cannot read it though it is sound, in plain words; empty if it can.
std::string TiffUnsupported(const TiffFacts& facts);

inline constexpr uint64_t kTiffExtraUnspecified = 0;
inline constexpr uint64_t kTiffExtraAssociated = 1;    ///< alpha, colours multiplied by it
inline constexpr uint64_t kTiffExtraUnassociated = 2;  ///< alpha, colours as they are

}  // namespace imgmill
