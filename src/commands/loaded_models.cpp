// A short list: a run has few models.
#include "imgmill/commands/loaded_models.h"

#include <algorithm>
#include <utility>

namespace imgmill {

std::shared_ptr<BatchModel> LoadedModels::Find(const std::string& path, const std::string& purpose) const {
  const Result<FileStamp> now = StampOf(path);
  for (const Entry& entry : entries_) {
    if (entry.path == path && entry.purpose == purpose && now && *now == entry.stamp) return entry.model;
  }
  return nullptr;
}

void LoadedModels::Keep(const std::string& path, const std::string& purpose,
                        std::shared_ptr<BatchModel> model) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.path == path && entry.purpose == purpose; });
  if (const Result<FileStamp> stamp = StampOf(path))
    entries_.push_back({path, purpose, *stamp, std::move(model)});
}

size_t LoadedModels::KeepOnly(std::span<const std::string> paths) {
  return std::erase_if(entries_, [&](const Entry& entry) {
    return std::find(paths.begin(), paths.end(), entry.path) == paths.end();
  });
}

}  // namespace imgmill
