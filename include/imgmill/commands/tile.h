// `imgmill tile`: cut images into tiles of one size, in bands of rows, so that memory does not grow with
// height.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/output_format.h"
#include "imgmill/commands/pair_name_options.h"

namespace CLI {
class App;
}

namespace imgmill {

/// The value of TileOptions::by that is no signal.
inline constexpr char kByChance[] = "random";

/// What `imgmill tile` is asked to do.
struct TileOptions {
  /// Folder for the tiles and their manifest; sub-folders of the input are kept.
  std::string output;

  /// Side of a tile in pixels, 8 to 16384. Training crops are usually 256 or 512.
  int size = 512;

  /// Pixels from one tile's edge to the next one's. Smaller than `size` makes tiles overlap, larger leaves
  /// gaps. 0: `size` less `overlap`.
  int stride = 0;

  /// Pixels that neighbouring tiles share, 0 to `size` - 1. Not together with `stride`.
  int overlap = 0;

  /// What to do with the last column and row where the image is not a multiple of the stride:
  /// "shift" them back inside (every pixel is covered, the last tiles overlap), "drop" them, or "pad" them
  /// with the image's last pixels. An image smaller than a tile gives none, and is listed, unless padded.
  std::string edge = "shift";

  /// Rules as filter's, with numbers and signals of pixels, that each tile must satisfy, or must not. Of
  /// pairs the high resolution's counts.
  std::vector<std::string> keep, drop;
  bool HasRules() const { return !keep.empty() || !drop.empty(); }

  /// Only this many tiles of each image, the best by a quality signal. 0: all.
  int best = 0;

  /// That signal: sharpness, contrast, entropy, colorfulness, brightness, saturation, spatial_information or
  /// jpeg_visible (the higher the better), noise, blockiness or blur (the lower). Of pairs it is the high
  /// resolution's. Or "random", which takes any of them.
  std::string by = "sharpness";

  /// Of "random": another one gives other tiles, the same the same.
  uint64_t seed = 0;

  /// Folder of low-resolution partners: HQ and LQ are then tiled in lockstep, into two sub-folders.
  std::string pair;

  /// How names of partners differ, if they do.
  PairNameOptions pair_names;

  /// How the tiles are stored: png, jpg or webp.
  OutputFormat file;

  int Step() const { return stride > 0 ? stride : size - overlap; }

  /// The first thing that is wrong, in words a user can act on; nothing when all is well.
  std::optional<std::string> Check() const;
};

/// Declares the flags on `app`; the command they fill is returned.
std::unique_ptr<Command> AddTile(CLI::App& app);

}  // namespace imgmill
