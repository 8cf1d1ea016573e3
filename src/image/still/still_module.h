// What the loadable module with FFmpeg's and libjxl's decoders is to the readers: one image out of bytes in
// memory, or the frames of an animation one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "image/open_file.h"
#include "imgmill/base/result.h"

namespace imgmill {

enum class StillKind : int { kBmp, kTga, kQoi, kPng, kDds, kSgi, kJxl, kApng };

/// A decoded image.
class StillImage {
 public:
  virtual ~StillImage() = default;
  /// Row `y`, grey or RGB, with or without alpha, as `bands` says, 1 or (not of JPEG XL) 2 bytes a sample.
  /// Alpha that the decoder found none of is `missing_alpha`, 0 or 255 on the scale of 8 bits.
  virtual void Row(int64_t y, int bands, size_t sample_bytes, uint8_t missing_alpha, uint8_t* to) const = 0;
};

/// An animation, read from its beginning. The bytes must outlive it.
class StillFrames {
 public:
  virtual ~StillFrames() = default;
  /// Decodes the next frame and draws it. @return the seconds that it is shown; nothing behind the last one,
  /// and where it cannot be decoded: `why` then tells
  virtual std::optional<double> Next(std::string* why) = 0;
  /// Row `y` as it is seen now: grey or RGB, with or without alpha, as `bands` says, 1 or 2 bytes a sample.
  virtual void Row(int64_t y, int bands, size_t sample_bytes, uint8_t* to) const = 0;
};

/// Zero bytes that must lie behind the bytes that are decoded.
inline constexpr size_t kStillPadding = 64;

/// Raised with each change of what is declared here, so that a module of another build is refused.
inline constexpr int kStillInterface = 6;
inline constexpr char kDecodeStill[] = "imgmill_decode_still";
/// Null: `why` tells.
using DecodeStillFn = StillImage* (*)(int interface, StillKind kind, const uint8_t* bytes, size_t size,
                                      int64_t width, int64_t height, std::string* why);

inline constexpr char kOpenStillFrames[] = "imgmill_open_still_frames";
/// Null: `why` tells. Of kApng and kJxl.
using OpenStillFramesFn = StillFrames* (*)(int interface, StillKind kind, const uint8_t* bytes, size_t size,
                                           int64_t width, int64_t height, std::string* why);

/// Reads up to so many bytes from `at` on; fewer at the end, none behind it.
using ReadBytesFn = size_t (*)(void* file, int64_t at, uint8_t* to, size_t bytes);
inline constexpr char kCountJxlFrames[] = "imgmill_count_jxl_frames";
/// 0 where it cannot be told.
using CountJxlFramesFn = int (*)(int interface, ReadBytesFn read, void* file);

/// Frames of a JPEG XL animation, which is read through but not decoded for that; 1 where they cannot be
/// counted.
int CountJxlFrames(const InputFile& file);

/// Opens the module, once.
Status LoadStillModule(Stage stage);

/// Decodes `bytes` (kStillPadding more may be read). `width` and `height`: what its header says.
Result<std::unique_ptr<StillImage>> DecodeStill(StillKind kind, std::span<const uint8_t> bytes, int64_t width,
                                                int64_t height);

/// Opens an animation; `bytes` as for DecodeStill.
Result<std::unique_ptr<StillFrames>> OpenStillFrames(StillKind kind, std::span<const uint8_t> bytes,
                                                     int64_t width, int64_t height);

/// For what a decoder said, in the words of FFmpeg or libjxl.
Error StillError(StillKind kind, const std::string& why);

}  // namespace imgmill
