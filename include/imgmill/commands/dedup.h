// `imgmill dedup`: find duplicate and near-duplicate images, keep the best of each group.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/embedding_options.h"
#include "imgmill/commands/pair_name_options.h"

namespace imgmill {

class Flags;
struct DedupMethod;
struct LookLimits;
enum class GroupBy : uint8_t;

struct DedupOptions {
  /// "exact" (equal bytes), "phash", "dhash", "ahash", "whash", "pdq", "blockmean", "embedding" or "lpips".
  /// phash finds
  /// re-encoded, resized and slightly cropped copies with the fewest false ones; embedding compares vectors;
  /// lpips has a network look again at what phash finds.
  std::string method = "phash";
  const DedupMethod& Method() const;

  /// "scaled" hashes a JPEG from a decode at 1/2, 1/4 or 1/8, many times faster; "full" from all pixels, bit
  /// for bit the hash of imagededup 0.3.3. The two are kept apart in the catalog. docs/hashes.md has their
  /// agreement.
  std::string decode = "scaled";

  /// Bits in which two hashes may differ, 0..64, or 256 for "pdq" and "blockmean". By default so many that
  /// most copies are candidates and the second look has not too many strangers to turn away, which more
  /// images have more of; see distance().
  std::optional<int> max_distance;
  /// Among so many images: 16 for "lpips"; 10 for "ahash" and "whash", which say less, and without a second
  /// look; of 256 bits 80, 64 and 31 for "pdq" and 40, 24 and 16 for "blockmean", without a second look 31
  /// and 8; else 14, above 50,000 images 12, and above 500,000 10.
  int distance(uint64_t images) const;

  /// Believes the hashes. Else candidates are laid upon each other and compared, before they are called
  /// duplicates.
  bool no_verify = false;
  bool verifies() const { return !no_verify && HasLooks(); }
  /// Whether candidates are made by a hash alone, or by the built-in descriptor: what a model takes for the
  /// same may be another picture.
  bool HasLooks() const;

  /// What they may differ in then, 0 to 1. By default 0.1: in a corpus of edited photos copies have less,
  /// and bursts and pages of a book more (docs/dedup.md).
  std::optional<double> max_difference;
  double difference() const { return max_difference.value_or(0.1); }

  /// What their colours may differ in beside an edit of the whole picture, in levels of 255. By default 8:
  /// edited photos have less, and products in other colours more.
  std::optional<double> max_colour_difference;
  /// How much of the most changed place may show another thing, 0 to 1. By default 0.2.
  std::optional<double> max_changed;
  LookLimits limits() const;

  /// How many of the near pairs that the second look refuses are listed, the closest first: 0 to 1000. By
  /// default 20 in the JSON document and on the page, and none in the text.
  std::optional<int> refused;
  bool looks_again() const;
  size_t listed_refused() const { return static_cast<size_t>(refused.value_or(20)); }

  /// With "embedding": the cosine that two vectors must have at least, 0..1. By default 0.8
  /// of the built-in ones, whose candidates are verified, else 0.9; a model has a scale of its own.
  std::optional<double> min_similarity;
  double similarity() const { return min_similarity.value_or(verifies() ? 0.8 : 0.9); }

  /// With "embedding": "exact" compares every vector with every other; "ivf" only those of near lists, many
  /// times faster among many, and says how many of the near pairs it finds.
  std::string index = "exact";

  /// With "lpips": the distance that two images may have at most, 0 or more; 0 for equal ones. By default
  /// 0.1.
  std::optional<double> max_lpips;
  double lpips() const { return max_lpips.value_or(0.1); }

  /// With "embedding": what makes the vectors. With "lpips": its model.
  EmbeddingOptions embedding;

  /// "rotate", "flip": images that were turned by quarters, or mirrored, are duplicates, too.
  std::vector<std::string> invariant;

  /// What the keeper is chosen by, in this order: "resolution", "colour", "format", "blockiness",
  /// "sharpness", "bytes", "oldest", "path", "folder:DIR". What they leave open is decided as without.
  std::vector<std::string> keep_by;

  /// A folder whose images are never touched: only what is also there is a duplicate.
  std::string reference;

  /// "all" pairs, those "across" folders only (of the folders that were given, or of the sub-folders of one),
  /// or those "within" one.
  std::string pairs = "all";

  /// What makes a group: "keeper", all are like the best one, so that chains which drift apart are split;
  /// "clique", every two are alike; "component", whatever chains of alike ones join, ends and all.
  std::string group_by = "keeper";
  GroupBy Grouping() const;

  /// What happens to duplicates: "report" only, "move" them to `move_to`, replace them by a "hardlink" or
  /// "symlink" to the keeper, or "delete" them. Keepers are never touched.
  std::string action = "report";

  /// Folder for --action move; duplicates keep their path below it.
  std::string move_to;

  /// --pack packs what is kept, afterwards.
  bool packs = false;

  /// A folder of partners, such as low-resolution versions: what is moved or deleted takes its partner along,
  /// and so does what is packed.
  /// A duplicate without one, or whose keeper has none, is left. Empty for none.
  std::string pair;
  PairNameOptions pair_names;

  /// Where the partners of moved duplicates go; they keep their path below it.
  std::string pair_move_to;

  /// Where the undo file goes; empty: into the catalog's folder.
  std::string undo_file;

  /// Files beside an image that are moved or deleted with it: "*.txt" is photo.txt and photo.jpg.txt. Empty:
  /// none, and those of usual kinds are told of. "none": none, without a word.
  std::vector<std::string> sidecars;

  /// A page to look at the groups, and to decide on them; empty for none.
  std::string html;

  /// Exit with 4 if any duplicate was found (for CI).
  bool check = false;

  std::optional<std::string> Check() const;
};

/// Declares the flags, which fill `options`.
void AddDedupFlags(Flags& flags, DedupOptions& options);

/// Declares the flags; the command they fill is returned.
std::unique_ptr<Command> AddDedup(Flags& flags);

}  // namespace imgmill
