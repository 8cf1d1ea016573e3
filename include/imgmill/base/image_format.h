// The table of image formats: how a file of each is known, who reads it and what is said of it. It lies below
// both who lists files and who reads them.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace imgmill {

enum class ImageFormat {
  kJpeg,
  kPng,
  kWebp,
  kTiff,
  kGif,
  kHeif,
  kJxl,
  kJp2k,
  kPnm,
  kHdr,
  kExr,
  kBmp,
  kTga,
  kIco,
  kQoi,
  kDds,
  kSgi,
  kVideo,
  kOther
};

enum class FormatReader { kLibvips, kJpegRows, kPnmRows, kStills, kFrames, kNobody };
enum class Decoded { kByRows, kWhole };
enum class Compression { kLossless, kLossy, kEither };

/// One row of the table.
struct FormatFacts {
  ImageFormat format;
  std::string_view name;   ///< libvips' loader, shortened: reports and learned costs go by it
  std::string_view title;  ///< for people
  FormatReader reader;
  std::string_view vips_loader;  ///< its class, without VipsForeignLoad: others are refused
  Decoded decoded;               ///< but for files whose header says that they are stored otherwise
  Compression compression;
  std::string_view extensions;  ///< a space between two, the usual one first
  /// Which of several images in one file is read: "first of 12 frames".
  std::string_view parts = "frames";
  std::string_view taken = "first";
};

/// A row for each format, in the order of ImageFormat.
extern const std::array<FormatFacts, static_cast<size_t>(ImageFormat::kOther) + 1> kImageFormats;

inline const FormatFacts& FactsOf(ImageFormat format) {
  return kImageFormats[static_cast<size_t>(format)];
}
inline std::string_view FormatName(ImageFormat format) {
  return FactsOf(format).name;
}

/// Whether these are the first bytes; a dot in the pattern stands for any byte.
bool Begins(std::string_view head, std::string_view pattern);

struct Signature {
  std::string_view pattern;
  ImageFormat format = ImageFormat::kOther;
  /// What a file that begins so is said to be when it cannot be read; empty where that proves too little.
  std::string_view title = {};
};

/// The one that a file begins with, its pattern empty where there is none; 16 bytes of `head` are enough.
Signature SignatureOf(std::string_view head);

}  // namespace imgmill
