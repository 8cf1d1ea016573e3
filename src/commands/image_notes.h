// What dedup needs to know of an image beside its hash or vector: whether a likeness of it says anything,
// and which of two that are alike is the better one.
#pragma once

#include <optional>

#include "imgmill/dataset/running_digest.h"
#include "imgmill/engine/operation.h"
#include "imgmill/signals/coarse_shapes.h"
#include "imgmill/signals/image_colours.h"
#include "imgmill/signals/signal_set.h"

namespace imgmill {

/// Kept in the catalog as they are (packed_fact.h).
struct ImageNotes {
  double sharpness = 0;  ///< of the image as it was read: of JPEG files maybe at a fraction of its size
  /// ImageHeader's, corrected by what its pixels tell: whether colours matter, and whether they were reduced.
  uint32_t fidelity = 0;
  uint16_t shapes = 0;        ///< CoarseShapes'
  uint16_t shows_colour = 0;  ///< 1 where it does (kShownColour)
  /// Of its pixels in 8-bit sRGB over white, and of its size; all 0 where they were not read exactly: shrunk,
  /// in grey, or from more than 8 bits.
  ContentDigest pixels;

  /// Whether what it looks like can be told from what others look like.
  bool telling() const { return shapes >= CoarseShapes::kEnough; }
};

/// Feeds on rows, 8-bit of 1 or 3 bands.
class ImageMeter {
 public:
  ImageMeter(const SourceFile& file, const ReadOptions& reading, const Layout& input);
  void Add(const ImageView& rows);
  /// Of a JPEG that was read in grey, looks for its colours.
  Result<ImageNotes> Finish();
  static size_t PooledBytes(const Layout& input);

 private:
  const SourceFile& file_;
  const bool grey_of_colours_;
  SignalMeter sharpness_;
  CoarseShapes shapes_;
  ColourMeter colours_;
  std::optional<RunningDigest> pixels_;
};

}  // namespace imgmill
