// An EXIF block: which way up the image is, how large it says it is, and who took it when with what.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace imgmill {

/// A TIFF structure as EXIF embeds it (TIFF 6.0, section 2; EXIF 2.3, section 4.6). Reads nothing outside the
/// bytes given, whatever they say.
class ExifBlock {
 public:
  struct Entry {
    size_t at = 0;  ///< of its twelve bytes
    uint32_t type = 0;
    uint32_t count = 0;
  };

  /// @param tiff  may begin with "Exif\0\0"; must outlive this
  explicit ExifBlock(std::span<const uint8_t> tiff);

  /// In the first directory, or in the one of EXIF's own tags.
  std::optional<Entry> InMain(uint32_t tag) const { return Find(main_, tag); }
  std::optional<Entry> InExif(uint32_t tag) const;

  /// Its number, of a LONG, or of what else is taken for a SHORT.
  std::optional<uint32_t> Number(const std::optional<Entry>& entry) const;
  /// ASCII, up to its first zero, without white space at its end; nothing if that leaves nothing.
  std::optional<std::string> Text(const std::optional<Entry>& entry) const;
  /// Of a number of any type of whole numbers or fractions, the first one; nothing for one by zero.
  std::optional<double> Value(const std::optional<Entry>& entry) const;
  /// Whether its value lies within the block.
  bool Holds(const Entry& entry) const;
  /// Whether it begins as a TIFF structure does, and all entries of both directories are there.
  bool Whole() const;
  bool big_endian() const { return big_; }

 private:
  std::optional<Entry> Find(uint32_t directory, uint32_t tag) const;
  bool HoldsDirectory(uint32_t directory) const;
  uint32_t U16(size_t at) const;
  uint32_t U32(size_t at) const;

  std::span<const uint8_t> tiff_;
  bool big_ = false;
  uint32_t main_ = 0;  ///< 0: none
};

/// Orientation, 1 to 8; 1 where there is none or it makes no sense.
int ExifOrientation(const uint8_t* tiff, size_t bytes);

/// Sets ExifImageWidth and ExifImageHeight, where there are such.
void SetExifSize(std::span<uint8_t> tiff, uint32_t width, uint32_t height);
/// The same of ImageWidth and ImageLength, which some cameras write, too.
void SetExifMainSize(std::span<uint8_t> tiff, uint32_t width, uint32_t height);

}  // namespace imgmill
