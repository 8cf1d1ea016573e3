// An animation of any format, frame by frame: what differs between formats, behind one interface.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/image/reader.h"

namespace imgmill {

class Animation {
 public:
  virtual ~Animation() = default;
  /// To the next frame, drawn onto those before it as far as needed. @return the seconds that it is shown;
  /// nothing behind the last one. Errors are about that frame. @throws OutOfMemory
  virtual Result<std::optional<double>> Next() = 0;
  /// Rows of that frame, which is not the first: in grey or sRGB, not turned. Valid until Next.
  virtual Result<std::unique_ptr<RowReader>> Rows(const ReadOptions& options) = 0;
};

using OpenedAnimation = Result<std::unique_ptr<Animation>>;

/// @throws OutOfMemory
OpenedAnimation OpenGifAnimation(const std::string& path, const ImageHeader& header);
OpenedAnimation OpenWebpAnimation(const std::string& path, const ImageHeader& header);
/// APNG and JPEG XL.
OpenedAnimation OpenStillAnimation(const std::string& path, const ImageHeader& header);

/// Bytes that one of these holds.
Footprint GifAnimationFootprint(const ImageHeader& header);
Footprint WebpAnimationFootprint(const ImageHeader& header);
Footprint StillAnimationFootprint(const ImageHeader& header);

/// Row `y` of a frame that is whole in memory, in the samples of its header.
using CanvasRow = std::function<void(int64_t y, uint8_t* to)>;

/// Rows of such a frame, converted through the profile in the file at `path` where it has one.
Result<std::unique_ptr<RowReader>> CanvasRows(const std::string& path, const ImageHeader& header,
                                              const ReadOptions& options, CanvasRow row);

}  // namespace imgmill
