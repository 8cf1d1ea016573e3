// The records of output folders of which an action takes files away, and which are not the run's own: they
// say that these are gone on purpose, so that nobody misses them there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {

class ActedElsewhere {
 public:
  /// @param command  "filter"
  ActedElsewhere(std::string command, const CommandServices& services)
      : command_(std::move(command)), services_(services) {}

  /// Of an action that was done.
  void Add(const FileAction& action);
  /// Writes down what was added. A record that cannot be written is warned of: the files are where they are
  /// all the same.
  void Put();

 private:
  Status Put(const std::string& output_folder, const std::vector<std::string>& paths) const;

  const std::string command_;
  const CommandServices& services_;
  std::map<std::string, std::vector<std::string>> taken_;  ///< by their output folders
  size_t count_ = 0;
  std::string last_folder_;
  std::optional<std::string> last_record_;  ///< output folder that this lies in
};

}  // namespace imgmill
