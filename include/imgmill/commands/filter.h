// `imgmill filter`: keep the images whose quality signals satisfy rules, say of each other one which rule it
// failed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"

namespace imgmill {

class Flags;

struct FilterOptions {
  /// Rules that an image must satisfy, all of them, to be kept: "blockiness<30", "short_side>=256",
  /// "sharpness>p10" (the 10th percentile over the run's images). An image without a value for a rule's
  /// signal does not satisfy it. At most 64 rules in all.
  std::vector<std::string> keep;

  /// Rules of the same form; an image that satisfies any of them is dropped. One without a value does not.
  std::vector<std::string> drop;

  /// Weight files of networks that judge images. Each gives a signal more, by what it is: "aesthetic",
  /// "hyperiqa", "complexity", "watermark", "nsfw".
  std::vector<std::string> scorers;

  /// The weights of CLIP, whose vectors aesthetic and NSFW heads judge. Empty: no scorer is such a head.
  std::string clip;

  /// What happens to files: "report" only, "move", "copy", "hardlink" or "symlink" ("link" for short), or
  /// "trash": into the desktop's trash.
  std::string action = "report";
  bool MovesAway() const { return action == "move" || action == "trash"; }

  /// "kept" or "dropped": whose files the action is about. Empty: the dropped ones of a move or trash (the
  /// rest stays where it is), the kept ones of a copy or link (a new folder of good images).
  std::string act_on;

  /// Folder for every action but report and trash; files keep their path below it.
  std::string to;

  /// Where the undo file goes; empty: into the catalog's folder.
  std::string undo_file;

  /// --pack packs what is kept, afterwards.
  bool packs = false;

  /// Files beside an image that go where it goes: "*.txt" is photo.txt and photo.jpg.txt. Empty: none, and
  /// those of usual kinds are told of. "none": none, without a word.
  std::vector<std::string> sidecars;

  /// "50%" of the images judged, or a number of them: if more would be dropped, nothing is done and the run
  /// ends with an error. Empty: no limit.
  std::string max_drop;

  /// A .csv, .jsonl or .parquet file for all signals of all images, with what became of them. Empty: none.
  std::string export_file;

  /// Images of the run of which everything is said: their signals, each one's place among all images, and
  /// what the rules say of them. Shown in place of the list.
  std::vector<std::string> explain;

  /// Propose rules in place of the list, which would drop about `suggest_share` percent of the images each.
  bool suggest = false;
  double suggest_share = 2;

  /// A page with each signal's histogram, the rules' cuts, and examples of either side. Empty: none.
  std::string html;

  /// Exit with 4 if any image was dropped (for CI).
  bool check = false;

  /// Whether signals that no rule is about are wanted, too.
  bool WantsAllSignals() const { return !export_file.empty() || DescribesSignals(); }
  /// Whether the spread of each signal's values is wanted.
  bool DescribesSignals() const { return !explain.empty() || suggest || !html.empty(); }

  std::optional<std::string> Check() const;
};

/// Declares the flags, which fill `options`.
void AddFilterFlags(Flags& flags, FilterOptions& options);

/// Declares the flags; the command they fill is returned.
std::unique_ptr<Command> AddFilter(Flags& flags);

}  // namespace imgmill
