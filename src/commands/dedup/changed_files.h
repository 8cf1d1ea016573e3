// Files that are not, or no longer, what the page has shown, each with the reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "decisions_file.h"
#include "imgmill/commands/command.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {

class ChangedFiles {
 public:
  /// @param action  that is to be done with duplicates, as the user names it
  explicit ChangedFiles(std::string action) : action_(std::move(action)) {}

  /// Whether it is another file now; then it is kept here, with those that are.
  bool HoldsDuplicate(const DecidedFile& file) { return Holds(file, /*stays=*/false); }
  /// Likewise of one that stays: none of its duplicates is touched then.
  bool HoldsKeeper(const DecidedFile& file) { return Holds(file, /*stays=*/true); }

  /// Looks into the undo files of earlier runs, which may have ended early or not. A duplicate to which an
  /// earlier apply has done the same is not held any more, but counted as done; of what else they did, the
  /// reason says so.
  Status LookInto(const std::vector<std::string>& undo_files);

  uint64_t size() const { return held_.size(); }
  uint64_t done_before() const { return done_before_; }
  /// Logs each, and adds it to the result's action failures.
  void Tell(const CommandServices& services, CommandResult& result) const;

 private:
  struct Held {
    std::string path;
    Error error;
    bool stays = false;
    bool done = false;
  };
  bool Holds(const DecidedFile& file, bool stays);

  const std::string action_;
  std::vector<Held> held_;
  uint64_t done_before_ = 0;
};

}  // namespace imgmill
