// What happens to an image's side-cars when something happens to it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/dataset/journal.h"
#include "imgmill/dataset/sidecars.h"

namespace imgmill {

class Flags;

/// Declares --sidecars.
void AddSidecarFlag(Flags& flags, std::vector<std::string>& patterns);

/// Warns of patterns that the user gave and no side-car of any image has matched.
/// @param of  which images were looked at, where that is not all of them: " of the images that go"
void WarnOfUnmatched(const CommandServices& services, const SidecarFinder& finder, const char* of = "");

/// @param acts  whether there is an action that moves, copies or removes images.
std::optional<std::string> CheckSidecars(const std::vector<std::string>& patterns, bool acts);

/// Gives the actions on side-cars for each on an image. Where nobody has asked for that, it counts what stays
/// behind, so that it can be told.
class SidecarActions {
 public:
  /// @param patterns  as the user gave them: none, "none", or what SidecarFinder takes
  explicit SidecarActions(const std::vector<std::string>& patterns);

  std::vector<FileAction> Of(const FileAction& image);
  /// For those that the calls of Of have met: warnings, and what a dry run would do.
  void Tell(const CommandServices& services, CommandResult& result) const;
  uint64_t planned() const { return planned_; }

 private:
  std::optional<FileAction> ActionOn(const Sidecar& sidecar, const FileAction& image);

  const bool asked_;
  const bool silent_;
  SidecarFinder finder_;
  uint64_t planned_ = 0;
  std::set<std::string> shared_;  ///< their paths
  uint64_t left_ = 0;             ///< images with side-cars that stay behind
  std::string example_;
  std::set<std::string> endings_;
};

}  // namespace imgmill
