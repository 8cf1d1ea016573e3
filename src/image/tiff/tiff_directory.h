// The directories of a TIFF or BigTIFF file (TIFF 6.0, section 2), as plain numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "image/open_file.h"

namespace imgmill {

struct TiffEntry {
  uint64_t tag = 0;
  uint64_t type = 0;   ///< of the values; those that are no whole numbers are carried only
  uint64_t count = 0;  ///< of values
  unsigned char field[8] =
      {};                 ///< the value where it fits (4 bytes, 8 in BigTIFF), else its offset; as stored
  uint64_t field_at = 0;  ///< where in the file the field lies

  /// Of one value of a type of whole numbers; 0 for other types.
  size_t value_bytes() const {
    switch (type) {
      case 3:  // SHORT
        return 2;
      case 4:   // LONG
      case 13:  // IFD: a LONG that is the offset of a directory (TIFF Technical Note 1)
        return 4;
      case 16:  // LONG8
      case 18:  // IFD8, of BigTIFF
        return 8;
      default:
        return 0;
    }
  }
};

struct TiffDirectory {
  bool big = false;         ///< BigTIFF: 8-byte offsets and counts
  bool big_endian = false;  ///< "MM"
  uint64_t at = 0;          ///< its own offset
  uint64_t next = 0;        ///< offset of the next directory, 0 for none
  uint64_t next_at = 0;     ///< where in the file that offset lies
  std::vector<TiffEntry> entries;

  /// Null where there is no such tag.
  const TiffEntry* Find(uint64_t tag) const;
  /// The first value of a tag of numbers that lies in the entry itself; nothing if there is no such tag.
  std::optional<uint64_t> Value(uint64_t tag) const;
  uint64_t Number(const unsigned char* bytes, size_t length) const;
  size_t field_bytes() const { return big ? 8 : 4; }
};

/// The first directory, or the one at `at`. Nothing if it cannot be read, or has more than a sane number of
/// entries.
std::optional<TiffDirectory> ReadTiffDirectory(const InputFile& file, uint64_t at = 0);

/// From now on the directory at `at` is the first of `file`, and the only one, whoever reads it. False: there
/// is no directory.
bool ShowTiffDirectory(InputFile& file, uint64_t at);

/// The file at `path`, as far as the directory at `directory` goes; as it is for 0.
Result<InputFile> OpenTiffPage(const std::string& path, uint64_t directory, Stage stage);

inline constexpr uint64_t kTiffNewSubfileType = 254;
inline constexpr uint64_t kTiffSubfileType = 255;
inline constexpr uint64_t kTiffWidth = 256;
inline constexpr uint64_t kTiffHeight = 257;
inline constexpr uint64_t kTiffBitsPerSample = 258;
inline constexpr uint64_t kTiffCompression = 259;
inline constexpr uint64_t kTiffPhotometric = 262;
inline constexpr uint64_t kTiffStripOffsets = 273;
inline constexpr uint64_t kTiffSamplesPerPixel = 277;
inline constexpr uint64_t kTiffRowsPerStrip = 278;
inline constexpr uint64_t kTiffStripByteCounts = 279;
inline constexpr uint64_t kTiffPlanarConfiguration = 284;
inline constexpr uint64_t kTiffTileWidth = 322;
inline constexpr uint64_t kTiffTileLength = 323;
inline constexpr uint64_t kTiffTileOffsets = 324;
inline constexpr uint64_t kTiffTileByteCounts = 325;
inline constexpr uint64_t kTiffSubIfds = 330;
inline constexpr uint64_t kTiffExtraSamples = 338;
inline constexpr uint64_t kTiffSampleFormat = 339;
inline constexpr uint64_t kTiffJpegTables = 347;
inline constexpr uint64_t kTiffDngVersion = 50706;

inline constexpr uint64_t kTiffYCbCr = 6;  ///< of kTiffPhotometric; its samples may be stored at half size

}  // namespace imgmill
