// Which frames of a file are taken: every n-th, one in so many seconds, the first of each scene, those that
// look new.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "imgmill/commands/frames.h"
#include "imgmill/image/frame_source.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/signals/image_descriptor.h"

namespace imgmill {

/// How much the picture changes from one frame to the next, as the `scene` of ffmpeg's select filter: of the
/// mean absolute difference in brightness (0 to 255) and its own difference from the one before, the smaller,
/// in hundredths, 1 at most. A steady motion gives little of it, a cut much.
class SceneChange {
 public:
  /// @param allow_truncated  as ReadOptions has it
  explicit SceneChange(bool allow_truncated = false) : allow_truncated_(allow_truncated) {}
  /// Of the frame that `frames` stands at; nothing for the first one, where the size has changed, and behind
  /// one that could not be read.
  Result<std::optional<double>> Next(FrameSource& frames);

 private:
  Result<std::optional<double>> Compare(FrameSource& frames);

  const bool allow_truncated_;
  PoolArray<uint8_t> last_;
  Layout layout_;
  double last_difference_ = 0;
};

/// How far a frame's built-in vector (image_descriptor.h) is from the nearest of those that were kept: 1 less
/// their cosine, from 0 to 2.
class Novelty {
 public:
  /// @param allow_truncated  as ReadOptions has it
  explicit Novelty(bool allow_truncated) : allow_truncated_(allow_truncated) {}
  /// Of the frame that `frames` stands at; nothing where none was kept.
  Result<std::optional<double>> Next(FrameSource& frames);
  /// The frame that was asked about last is kept.
  void Keep();
  static constexpr size_t kBytesKept = ImageDescriptor::kLength * sizeof(float);

 private:
  static constexpr size_t kInBlock = 32;
  const bool allow_truncated_;
  std::vector<PoolArray<float>> blocks_;
  size_t kept_ = 0;
  PoolArray<float> own_;
};

/// Each rule sees only the frames that those before it have let through, in the order of FramesOptions.
class FrameChoice {
 public:
  /// @param allow_truncated  as ReadOptions has it
  FrameChoice(const FramesOptions& options, bool allow_truncated)
      : options_(options), scenes_(allow_truncated), novelty_(allow_truncated) {}
  /// Asked for each frame, in order. `frames` stands at it.
  Result<bool> Takes(const Frame& frame, FrameSource& frames);
  /// Bytes for frames of this layout. @param frames  that may be kept
  static Footprint Cost(const FramesOptions& options, const ImageHeader& header, size_t frames);

 private:
  bool IsDue(const FrameTime& time);

  const FramesOptions& options_;
  std::optional<int64_t> first_ticks_;  // of the clock's present run
  int64_t last_ticks_ = 0;
  int64_t next_ = 0;  // how many intervals behind the first the next frame is due
  SceneChange scenes_;
  Novelty novelty_;
};

}  // namespace imgmill
