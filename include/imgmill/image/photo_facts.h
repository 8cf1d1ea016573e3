// What a camera wrote into a file about its photograph: EXIF as numbers and texts to choose images by.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "imgmill/base/result.h"

namespace imgmill {

enum class PhotoText : uint8_t {
  /// Make and Model with a blank between them; Model alone where it begins with the first word of Make, as in
  /// "NIKON D850" of "NIKON CORPORATION".
  kCamera,
  /// LensModel.
  kLens,
  /// Software.
  kSoftware,
};
inline constexpr size_t kPhotoTextCount = 3;

struct PhotoTextInfo {
  PhotoText text;
  std::string_view name;
  std::string_view meaning;  ///< one line for --help and pages
};
/// In the order of PhotoText.
std::span<const PhotoTextInfo> AllPhotoTexts();
const PhotoTextInfo& InfoOf(PhotoText text);

/// UTF-8 of one line, at most some 200 bytes: as PrintablePath shows bytes. Empty: there is none.
using PhotoTexts = std::array<std::string, kPhotoTextCount>;

/// Source of names and types: EXIF 2.32, sections 4.6.4 to 4.6.6.
struct PhotoFacts {
  PhotoTexts texts;
  /// DateTimeOriginal, else DateTimeDigitized: seconds from 1970-01-01T00:00:00 on, both by the camera's
  /// clock.
  std::optional<double> date;
  /// PhotographicSensitivity; where it is 65535, which stands for "more", the first of the other
  /// sensitivities that is there.
  std::optional<double> iso;
  std::optional<double> exposure_time;  ///< seconds
  std::optional<double> f_number;
  std::optional<double> focal_length;  ///< millimetres, of the lens itself
  std::optional<double> orientation;   ///< 1 to 8, as stored
  /// There is EXIF that cannot be read, or not all of it.
  bool damaged = false;
};

/// "2015-06-01T12:30:05".
std::string DateText(double seconds);

/// Of a file whose header was read before. Files without EXIF, and formats that have none, give nothing.
Result<PhotoFacts> ReadPhotoFacts(const std::string& path);

}  // namespace imgmill
