// Actions are numbered in the order in which they were planned, files in that of the listing.
#include "acted_places.h"

#include "archive/archive_path.h"
#include "base/path_parts.h"

namespace imgmill {

void ActedPlaces::Add(const ListedFile& file) {
  indices_.push_back(file.index);
}

void ActedPlaces::MarkDone(const FileAction& action) {
  const uint64_t index = indices_.at(action.number);
  if (done_.size() <= index) done_.resize(index + 1);
  done_[index] = true;
  const bool renamed = action.kind == FileAction::Kind::kMove && NameOf(action.target) != NameOf(action.path);
  if (renamed) renamed_.emplace(index, std::string(NameOf(action.target)));
}

std::string ActedPlaces::PathOf(const ListedFile& file) const {
  if (folder_.empty() || !WasDone(file)) return file.path;
  const std::string planned = Join(folder_, file.relative);
  const auto found = renamed_.find(file.index);
  return found == renamed_.end() ? planned : Join(ParentOf(planned), found->second);
}

bool ActedPlaces::IsGone(const ListedFile& file) const {
  return imgmill::IsGone(PathOf(file));
}

}  // namespace imgmill
