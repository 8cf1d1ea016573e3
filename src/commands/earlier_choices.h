// Files that earlier runs with other options have made of the same images: what a run tells of them.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "foreseen_names.h"
#include "imgmill/commands/command.h"
#include "imgmill/engine/output_set.h"

namespace imgmill {

/// Of all images of a run. Thread-safe.
class EarlierChoices {
 public:
  /// @param prune  they are removed in a run, and in a dry run counted as to be removed
  EarlierChoices(const CommandServices& services, const OutputFolder& folder, bool prune);

  /// What FindEarlierChoice has found, or removed, of one image.
  void Add(const EarlierChoice& one);
  /// Of an image that a dry run would work on: looks for them.
  /// @param names   of the files that would be made, in bytewise order
  /// @param exact   all of these would; else perhaps only some, and others of these names would be removed
  Status Foresee(OutputFolder& folder, const Item& item, const SetPrefixes& prefixes,
                 const std::vector<std::string>& names, bool exact);
  /// Puts them into the summary and the JSON document, and warns of those that stay. Not of a pipeline's
  /// step, since that looks for more than those.
  /// @param what  how they differ: "of other sizes or choices"
  void Tell(const std::string& what, CommandResult& result) const;
  /// Whether they are to be removed where they are found.
  bool prunes_now() const { return prunes_now_; }

  /// Of the names that Foresee was given, where a pipeline wants to know.
  std::vector<size_t> TakeForeseen() { return foreseen_.Take(); }

 private:
  std::string SidesText() const;

  const CommandServices& services_;
  const std::string folder_;
  const bool prune_;
  const bool dry_run_;
  const bool prunes_now_;
  std::mutex mutex_;
  uint64_t files_ = 0;
  bool at_most_ = false;
  std::string example_;          ///< the first by name
  std::set<std::string> sides_;  ///< folders of pairs' tiles that the run does not write to
  ForeseenNames foreseen_;
};

}  // namespace imgmill
