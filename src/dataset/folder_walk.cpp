// Walks one folder in bytewise order of whole paths, holding the sorted names of each level it is in.
#include "dataset/folder_walk.h"

#include <sys/stat.h>

#include <utility>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {

FolderWalk::FolderWalk(const WalkRules& rules, std::string path, std::string canonical,
                       std::vector<ListProblem>& problems)
    : rules_(rules), path_(std::move(path)), canonical_(std::move(canonical)), problems_(problems) {
  Enter();
}

std::string FolderWalk::FullPath() const {
  return Join(path_, relative_);
}

void FolderWalk::Enter() {
  std::string folder = relative_.empty() ? path_ : FullPath();
  Result<FolderNames> names = FolderNames::Read(folder, relative_, rules_.filter);
  if (!names && names.error().code == Code::kInterrupted && Stopped()) return;
  if (!names) {
    problems_.push_back({std::move(folder), names.error()});
    return;
  }
  if (relative_.empty()) TellOfArchive();
  ignored_.Add(names->ignored());
  levels_.push_back({*std::move(names), 0, relative_.size()});
}

void FolderWalk::TellOfArchive() {
  const std::optional<ArchivePath> at = AtOrIntoArchive(path_);
  if (!at) return;
  const Result<std::shared_ptr<const TarIndex>> index = OpenArchive(at->archive);
  if (!index) return problems_.push_back({path_, index.error()});
  for (const TarIndex::Problem& each : (*index)->problems()) {
    const bool below = at->inner.empty() || each.name.empty() || each.name.starts_with(at->inner + "/");
    if (below)
      problems_.push_back({each.name.empty() ? at->archive : Join(at->archive, each.name), each.error});
  }
}

bool FolderWalk::LinkIsFile() {
  const std::string path = FullPath();
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    const Error error = ErrnoError(Stage::kList, errno, "follow the link");
    problems_.push_back({path, error});
    return false;
  }
  if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) ignored_.Add();
  return S_ISREG(info.st_mode);
}

std::optional<ListedFile> FolderWalk::Next() {
  // Folders without end may lie between two files.
  while (!levels_.empty() && !Stopped()) {
    Level& level = levels_.back();
    if (level.next == level.names.size()) {
      levels_.pop_back();
      continue;
    }
    const FolderNames::Entry entry = level.names[level.next++];
    relative_.resize(level.prefix);
    relative_ += entry.name;
    if (entry.folder) {
      if (!rules_.recursive) continue;
      if (!rules_.leave_out.empty() && rules_.leave_out.contains(Join(canonical_, relative_))) continue;
      relative_ += '/';
      Enter();
      continue;
    }
    if (entry.link && !LinkIsFile()) continue;
    return ListedFile{0, FullPath(), relative_, level.names.ClashOf(entry.name)};
  }
  return std::nullopt;
}

}  // namespace imgmill
