// What the loadable module with FFmpeg's readers and decoders of videos is to the rest: the pictures of one
// file, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "imgmill/base/result.h"
#include "open_file.h"

namespace imgmill {

/// What the file and its first packets say of its video. Nothing has been decoded for that.
struct VideoFacts {
  int64_t width = 0;  ///< as stored
  int64_t height = 0;
  int bits = 0;  ///< of a sample; 0: only decoding tells
  bool alpha = false;
  int orientation = 1;        ///< as EXIF numbers them
  int64_t pictures = 1;       ///< about how many
  int64_t decoder_bytes = 0;  ///< on one thread
  int64_t thread_bytes = 0;   ///< for each further one; 0: its codec knows no others
  int streams = 1;            ///< of pictures; of those behind the first nothing is read
  std::string codec;          ///< "h264"
};

/// A decoded picture.
struct VideoPicture {
  int64_t number = 0;
  int64_t width = 0;
  int64_t height = 0;
  int bits = 8;  ///< of a sample: 8, or more
  bool alpha = false;
  bool brightness = false;       ///< it has a plane of its own
  bool turns = false;            ///< Convert can turn it
  std::optional<int64_t> shown;  ///< in ticks of base_number / base_denominator seconds
  int64_t lasts = 0;             ///< 0: not known
  int32_t base_number = 0;
  int32_t base_denominator = 0;
  std::string note;  ///< of the first one: what a user should know of all; empty mostly
};

/// How the colours of a picture are to be made.
struct VideoColours {
  int bands = 3;        ///< 3 or 4
  bool deep = false;    ///< 16 bits a sample, not 8
  int orientation = 1;  ///< how it is turned, as EXIF numbers it; 1 if it does not turn
  bool as_sited =
      false;  ///< colour samples lie where the file says, not in the middle of the pixels they are of
};

/// A file that is open for reading from its beginning. Used by one thread at a time.
class VideoFile {
 public:
  virtual ~VideoFile() = default;
  virtual const VideoFacts& facts() const = 0;

  /// How many threads may decode; to be said before Next. The pictures are the same.
  virtual void UseThreads(int threads) = 0;

  enum class Step { kPicture, kEnd, kFault };
  /// To the next picture that can be trusted. kFault: some before it cannot, and are passed over; `fault`
  /// tells how many and why, and `picture.number` which is the first of them, or would be the next where the
  /// fault is the file's own; else the next call goes on behind them.
  virtual Step Next(VideoPicture& picture, Error& fault) = 0;

  /// That picture, in rows of `stride` bytes, which have room for kVideoPadding more than its pixels take.
  /// False: `why` tells.
  virtual bool Convert(const VideoColours& colours, uint8_t* to, size_t stride, std::string& why) = 0;
  /// Row `y` of its plane of brightness as stored: a byte a sample, or two with the value in the upper bits.
  virtual void Brightness(int64_t y, uint8_t* to) const = 0;
};

inline constexpr size_t kVideoPadding = 64;

/// Reads up to so many bytes from `at` on; fewer at the end, -1 on an error.
using ReadVideoFn = ptrdiff_t (*)(void* file, int64_t at, uint8_t* to, size_t bytes);

/// Raised with each change of what is declared here, so that a module of another build is refused.
inline constexpr int kVideoInterface = 5;
inline constexpr char kOpenVideo[] = "imgmill_open_video";
/// Null: `why` tells. `file` must outlive it. Pictures of more than `most_pixels` are not decoded.
using OpenVideoFn = VideoFile* (*)(int interface, ReadVideoFn read, void* file, int64_t bytes,
                                   int64_t most_pixels, Error* why);

/// kUnknownFormat where FFmpeg knows no video that begins so.
Result<std::unique_ptr<VideoFile>> OpenVideo(const InputFile& file, int64_t most_pixels, Stage stage);

}  // namespace imgmill
