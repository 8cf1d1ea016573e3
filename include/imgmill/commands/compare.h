// `imgmill compare`: how far apart the images of two folders are, pair by pair.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/pair_name_options.h"

namespace imgmill {

class Flags;

/// What `imgmill compare` is asked to do.
struct CompareOptions {
  /// What the images are compared with: a folder with a file of the same name for each, or one file for one
  /// image. On a command line the last of the paths, if the flag is not given.
  std::string pair;

  /// How names of partners differ, if they do.
  PairNameOptions pair_names;

  /// Names of metrics, or "all". The first one decides which pairs are the worst.
  std::vector<std::string> metrics = {"psnr", "psnr-y", "ssim", "ssim-y", "mae", "max"};

  /// Weights of an LPIPS with its backbone, which add that metric. Empty for none.
  std::string lpips;

  /// Pixels that are left out on each side, as papers on super-resolution do it: usually the scale.
  int crop_border = 0;

  /// Kernel that brings partners of another size to the image's: nearest, linear, cubic, mitchell, lanczos2
  /// or lanczos3. Empty: such pairs fail.
  std::string resize;

  /// Find by how many whole pixels the two are shifted, and compare what they have in common.
  bool align = false;

  /// "NAME=NUMBER": metrics of which more is better must be at least, the others at most that. Pairs that are
  /// not are findings.
  std::vector<std::string> fail_below, fail_above;

  /// Files for a table of all pairs, and for a page of the worst ones; empty for none.
  std::string csv;
  std::string html;

  /// The first thing that is wrong, in words a user can act on; nothing when all is well.
  std::optional<std::string> Check() const;
};

/// Declares the flags; the command they fill is returned.
std::unique_ptr<Command> AddCompare(Flags& flags);

}  // namespace imgmill
