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

namespace imgmill {

class Flags;

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

  /// Least distance between the upper left corners of two tiles of an image, pixels; 0: any. The best come
  /// first, and without `best` those above.
  int min_distance = 0;

  /// Folders of low-resolution partners, each of a scale of its own: all are tiled in lockstep, into
  /// sub-folders HQ and LQ, or, if there are several, HQ and what the folders are called.
  std::vector<std::string> pairs;

  /// How names of partners differ, if they do: one pattern for all folders, or one for each.
  std::vector<std::string> pair_names;

  /// How the images themselves are named, around the {name} that all share.
  std::string own_name = "{name}";

  /// Take partners that were made of the image cropped to a multiple of the scale: its last columns and rows
  /// are then left out, of all images of a group alike. Otherwise such a partner is refused.
  bool crop_pairs = false;

  /// Files beside an image that are copied beside each of its tiles, or of its high-resolution ones: "*.txt"
  /// is photo.txt and photo.jpg.txt.
  std::vector<std::string> sidecars;

  /// Give each tile the image's EXIF and XMP, as far as its format can hold them: upright, without thumbnails
  /// and with the tile's own size. Otherwise it gets the colour profile only.
  bool keep_metadata = false;

  /// Remove what earlier runs with other options have made of these images, and this one has not.
  bool prune = false;

  /// How the tiles are stored: png, jpg, webp, tiff, jxl or avif.
  OutputFormat file;

  int Step() const { return stride > 0 ? stride : size - overlap; }

  /// The first thing that is wrong, in words a user can act on; nothing when all is well.
  std::optional<std::string> Check() const;
};

/// Declares the flags; the command they fill is returned.
std::unique_ptr<Command> AddTile(Flags& flags);

}  // namespace imgmill
