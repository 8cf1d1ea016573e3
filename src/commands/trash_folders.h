// Into which trash a dry run's files would go, and how many: each file system may have its own.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "dataset/trash.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/command.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {

class TrashFolders {
 public:
  void Add(const FileAction& action) {
    if (action.kind == FileAction::Kind::kTrash) ++files_[TrashOf(action.target)];
  }
  void Tell(CommandResult& result) const {
    nlohmann::json folders = nlohmann::json::array();
    for (const auto& [folder, files] : files_) {
      result.summary += (folders.empty() ? "; " : ", ") + std::to_string(files) +
                        (files == 1 ? " file" : " files") + " would go to the trash " + PrintablePath(folder);
      folders.push_back({{"folder", PrintablePath(folder)}, {"files", files}});
    }
    if (!folders.empty()) result.details["trash"] = std::move(folders);
  }

 private:
  std::map<std::string, uint64_t> files_;
};

}  // namespace imgmill
