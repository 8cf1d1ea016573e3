// `imgmill frames`: each frame of a video or an animation, each page of a TIFF, as an image of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "imgmill/commands/command.h"
#include "imgmill/commands/output_format.h"

namespace imgmill {

class Flags;

/// What `imgmill frames` is asked to do.
struct FramesOptions {
  /// Folder for the frames and their manifest; sub-folders of the input are kept.
  std::string output;

  /// Only frames whose number is a multiple of this: 1 takes all, 10 the frames 0, 10, 20 and so on.
  int every = 1;

  /// Of those the first, and then the first in each further interval of so many seconds by the file's own
  /// clock; nothing takes all. What has no times is not thinned.
  std::optional<double> every_seconds;

  /// Of those the first, and each that differs from the one before it by more than this: 0 to 1, as ffmpeg's
  /// select filter measures it. 0.3 finds cuts.
  std::optional<double> scene_change;

  /// Of those each whose built-in vector is farther than this from all that were kept of the file: 0 (the
  /// same) to 2, as 1 less their cosine. 0.05 leaves out what looks the same, 0.3 keeps few.
  std::optional<double> novelty;

  /// Of a video: its samples of colour lie where the file says ("file"), or, as ffmpeg up to version 7 takes
  /// them, in the middle of the pixels that share them ("centre").
  std::string chroma_siting = "centre";

  /// Remove frames that earlier runs with other options have made of the same files: else they stay, and are
  /// named.
  bool prune = false;

  /// How the frames are stored: png, jpg, webp, tiff, jxl or avif.
  OutputFormat file;

  /// The first thing that is wrong, in words a user can act on; nothing when all is well.
  std::optional<std::string> Check() const;
};

/// Declares the flags; the command they fill is returned.
std::unique_ptr<Command> AddFrames(Flags& flags);

}  // namespace imgmill
