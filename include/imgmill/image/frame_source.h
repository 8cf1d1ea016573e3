// The images of a file that holds several: frames of an animation, pages of a TIFF. They come one after the
// other, and no more than one is held.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "imgmill/base/result.h"
#include "imgmill/image/reader.h"

namespace imgmill {

/// When a frame is shown, in microseconds from the start of one pass through the animation, as the file says
/// it.
struct FrameTime {
  int64_t at_us = 0;
  int64_t lasts_us = 0;
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

  /// Rows of the frame that Next gave last: the whole picture as it is seen then, with what earlier frames
  /// left of theirs. Frames may be passed over without it. Only once for each. @throws OutOfMemory
  virtual Result<std::unique_ptr<RowReader>> Open(const ReadOptions& options) = 0;

  /// Whether frames can be had behind one that cannot: pages, which are not drawn onto each other.
  virtual bool independent() const = 0;
};

/// @param header  of the file, from Probe. The first frame's rows are those of OpenRows, to the bit. A still
///                image is one frame, and so are a JPEG with further images in it, an icon of several sizes
///                and a HEIF collection; of an AVIF or HEIF sequence the second frame is an error.
///                @throws OutOfMemory
Result<std::unique_ptr<FrameSource>> OpenFrames(const std::string& path, const ImageHeader& header,
                                                const ImageLimits& limits);

/// Tells `each` of the headers that frames of the file have: of every page that can be probed, and one for
/// all frames of an animation.
void ForEachFrameHeader(const std::string& path, const ImageHeader& header, const ImageLimits& limits,
                        const std::function<void(const ImageHeader&)>& each);

/// Bytes that reading frames with this header holds, as ReadFootprint for a single image.
Footprint FrameFootprint(const ImageHeader& header, const ReadOptions& options);

}  // namespace imgmill
