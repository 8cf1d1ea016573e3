// `imgmill apply`: carry out what was decided on a page of `imgmill dedup --html`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/pair_name_options.h"

namespace imgmill {

class Flags;

struct ApplyOptions {
  /// The file that the page has exported.
  std::string file;

  /// What happens to the images that are to go, as for dedup: "report" only says whether they, and those that
  /// stay, are still what was shown.
  std::string action = "report";

  /// Folder for --action move; images keep their path below it.
  std::string move_to;

  /// Where the undo file goes; empty: into the catalog's folder.
  std::string undo_file;

  /// As for dedup.
  std::vector<std::string> sidecars;
  std::string pair;
  PairNameOptions pair_names;
  std::string pair_move_to;

  std::optional<std::string> Check() const;
};

/// Declares the flags; the command they fill is returned.
std::unique_ptr<Command> AddApply(Flags& flags);

}  // namespace imgmill
