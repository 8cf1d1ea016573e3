// Files that earlier runs have made of images that are gone, or that get other names now: what a command that
// works image by image tells of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/engine/output_set.h"

namespace imgmill {

/// Of all images of a run; 16 bytes each, and 8 more for each further side. Not of a pipeline's step, since
/// that looks for more than those.
class StaleOutputs {
 public:
  /// What tells a command's files from others.
  struct Kind {
    std::function<bool(std::string_view fingerprint)> is_its_work;
    int numbers = 1;                  ///< behind what names begin with, an underscore between two
    std::string_view noun;            ///< of the files' sources: "images"
    std::string_view files;           ///< "tiles"
    std::string_view main_side = {};  ///< where each image has files on several sides: "HQ/"
  };
  StaleOutputs(Kind kind, const CommandServices& services) : kind_(std::move(kind)), services_(services) {}

  /// An image that did not fail. @param prefixes  what the names of its files begin with
  void Add(const std::string& path, const SetPrefixes& prefixes);

  /// Looks for them in the output folder when all images are done, before the list of outputs is finished;
  /// `prune` removes those that are to the byte what was written. Puts them into the summary and the JSON
  /// document, and warns of those that stay.
  Status Tell(const std::string& folder, bool prune, CommandResult& result);

 private:
  bool HasNameOfThese(std::string_view name) const;
  bool IsNameOfThese(std::string_view name) const;

  const Kind kind_;
  const CommandServices& services_;
  std::vector<uint64_t> sources_;   ///< hashes
  std::vector<uint64_t> prefixes_;  ///< likewise
};

}  // namespace imgmill
