// In what order the actions of a plan are carried out: a symbolic link goes before the file that it leads to,
// or it would lead nowhere when its turn comes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dataset/journal_file.h"

namespace imgmill {

class ActionOrder {
 public:
  struct Place {
    size_t id = 0;        ///< of an image's action; those of its side-cars follow it
    uint64_t number = 0;  ///< FileAction::number
  };

  /// Looks which files of the plan are links now. Memory: some 24 bytes a link.
  /// @param first  the plan begins there
  static Result<ActionOrder> Of(const JournalFile& file, size_t first);

  /// Links to links, links to files, then all others, each in the order of the plan; nothing at the end.
  std::optional<Place> Next();

 private:
  struct Link {
    Place place;
    int depth = 0;  ///< links on its way to a file, itself among them
  };

  explicit ActionOrder(const JournalFile& file, size_t first) : file_(file), next_{first, 0} {}

  const JournalFile& file_;
  std::vector<Link> links_;       ///< those that lead through most others first
  std::vector<size_t> link_ids_;  ///< ascending
  size_t next_link_ = 0;
  Place next_;
};

}  // namespace imgmill
