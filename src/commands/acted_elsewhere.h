// The records of output folders of which an action takes files away, and which are not the run's own: they
// say so as its own does, so that nobody misses these files there.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "acted_files.h"
#include "imgmill/commands/command.h"
#include "imgmill/dataset/journal.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {

class ActedElsewhere {
 public:
  /// @param command  "filter"
  /// @param folders  where the files go; empty ones are none
  ActedElsewhere(std::string command, std::vector<std::string> folders, const CommandServices& services)
      : command_(std::move(command)), folders_(std::move(folders)), services_(services) {}

  /// Of an action that was done, with its final target. A record that cannot be written is warned of: the
  /// files are where they are all the same.
  void Add(const FileAction& action);
  /// Writes down what was added.
  void Put();

 private:
  /// Of an output folder; nobody else uses it meanwhile.
  struct Record {
    std::unique_ptr<FolderLock> lock;
    std::unique_ptr<Catalog> catalog;
    std::unique_ptr<ActedFiles> acted;
  };

  Status AddTo(const std::string& output_folder, const FileAction& action);
  Result<Record*> Open(const std::string& output_folder);
  static Status Put(const Record& record);
  void Warn(const std::string& output_folder, const Error& why);

  const std::string command_;
  const std::vector<std::string> folders_;
  const CommandServices& services_;
  std::map<std::string, Record> records_;  ///< by their output folders
  std::set<std::string> failed_;           ///< likewise
  std::string last_folder_;
  std::optional<std::string> last_record_;  ///< output folder that this lies in
};

}  // namespace imgmill
