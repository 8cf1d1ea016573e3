// `imgmill frames`: each frame of an animation, each page of a TIFF, as an image of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "imgmill/commands/command.h"
#include "imgmill/commands/output_format.h"

namespace CLI {
class App;
}

namespace imgmill {

/// What `imgmill frames` is asked to do.
struct FramesOptions {
  /// Folder for the frames and their manifest; sub-folders of the input are kept.
  std::string output;

  /// Only frames whose number is a multiple of this: 1 takes all, 10 the frames 0, 10, 20 and so on.
  int every = 1;

  /// How the frames are stored: png, jpg, webp or tiff.
  OutputFormat file;

  /// The first thing that is wrong, in words a user can act on; nothing when all is well.
  std::optional<std::string> Check() const;
};

/// Declares the flags on `app`; the command they fill is returned.
std::unique_ptr<Command> AddFrames(CLI::App& app);

}  // namespace imgmill
