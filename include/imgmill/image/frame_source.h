// The images of a file that holds several: frames of an animation or a video, pages of a TIFF. They come one
// after the other, and no more than one is held.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "imgmill/base/result.h"
#include "imgmill/image/reader.h"

namespace imgmill {

/// When a frame is shown, as the file says it: in microseconds from the start of one pass through an
/// animation, or on the clock of a video, which need not begin at 0.
struct FrameTime {
  int64_t at_us = 0;
  int64_t lasts_us = 0;
  /// Of a video the same in its own unit, which is exact: base_number / base_denominator seconds. Others have
  /// none, and a denominator of 0.
  int64_t at_ticks = 0;
  int64_t lasts_ticks = 0;
  int32_t base_number = 0;
  int32_t base_denominator = 0;

  bool has_ticks() const { return base_denominator > 0; }
  /// Of a video's ticks, rounded.
  int64_t Microseconds(int64_t ticks) const;
};

struct Frame {
  int64_t number = 0;             ///< in the file, from 0
  std::optional<FrameTime> time;  ///< pages and still images have none
  ImageHeader header;             ///< its own: pages may differ in all of it
};

class FrameSource {
 public:
  virtual ~FrameSource() = default;

  /// The next frame; nothing behind the last one. Rows of the one before are not read any more. An error is
  /// about the frame that would have come.
  virtual Result<std::optional<Frame>> Next() = 0;

  /// Which frame Next's last error is about, where it may be about several: the first of them. Nothing: the
  /// one behind that which was told before.
  virtual std::optional<int64_t> fault_number() const { return std::nullopt; }

  /// Rows of the frame that Next gave last: the whole picture as it is seen then, with what earlier frames
  /// left of theirs. Frames may be passed over without it. Only once for each. @throws OutOfMemory
  virtual Result<std::unique_ptr<RowReader>> Open(const ReadOptions& options) = 0;

  /// Rows of that frame for who has to see it before it is known whether it is wanted: before Open, and as
  /// often as need be. Grey of a video is its brightness as the file stores it, not turned and of its own
  /// depth: the frames of one file can be compared by it, and it costs nothing. Some sources hold the whole
  /// frame from then on. @throws OutOfMemory
  virtual Result<std::unique_ptr<RowReader>> Look(const ReadOptions& options) { return Open(options); }

  /// Whether frames can be had behind one that cannot: pages, which are not drawn onto each other, and videos
  /// from the next picture on that stands for itself.
  virtual bool independent() const = 0;

  /// Whether the readable part of a broken file may be all that is wanted of it, as
  /// ReadOptions::allow_truncated says.
  virtual bool may_be_partial() const { return !independent(); }
};

/// As Probe, and of videos, too: their size as it is stored, upright by `orientation`, the depth and the
/// bands of their frames, or more than that where only decoding would tell, and about how many there are.
Result<ImageHeader> ProbeFrames(const std::string& path, const ImageLimits& limits);

/// @param header  of the file, from ProbeFrames. The first frame's rows are those of OpenRows, to the bit. A
/// still
///                image is one frame, and so are a JPEG with further images in it, an icon of several sizes
///                and a HEIF collection; of an AVIF or HEIF sequence the second frame is an error.
///                @throws OutOfMemory
Result<std::unique_ptr<FrameSource>> OpenFrames(const std::string& path, const ImageHeader& header,
                                                const ImageLimits& limits, int video_threads = 1);

/// Tells `each` of the headers that frames of the file have: of every page that can be probed, and one for
/// all frames of an animation.
void ForEachFrameHeader(const std::string& path, const ImageHeader& header, const ImageLimits& limits,
                        const std::function<void(const ImageHeader&)>& each);

/// Bytes that reading frames with this header holds, as ReadFootprint for a single image.
Footprint FrameFootprint(const ImageHeader& header, const ReadOptions& options);

}  // namespace imgmill
