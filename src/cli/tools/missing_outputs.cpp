// An output is missing where none of the folders that its work wrote to has it.
#include "missing_outputs.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/path_parts.h"
#include "base/try.h"
#include "dataset/image_names.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// Folders right in `folder`, in bytewise order: those of a pipeline's steps among them.
std::vector<std::string> StepFolders(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory(none) && !name.starts_with('.')) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool IsImage(const std::string& path) {
  return IsTaken(AT_FDCWD, path, /*videos=*/false);
}

/// All that decides the bytes, but for the side-cars, which are those of one image.
std::string_view OptionsOf(const FoundWork& work) {
  const std::string_view fingerprint = work.key.fingerprint;
  return fingerprint.substr(0, fingerprint.find(kWithSidecars));
}

}  // namespace

Error LookInterrupted() {
  return {Stage::kList, Code::kInterrupted, "interrupted: not all files were looked at; run again"};
}

bool MissingOutputs::IsAskedFor(const std::string& path) const {
  return within_.empty() || IsAtOrBelow(AbsoluteEntry(path), within_);
}

Status MissingOutputs::Look(const StopFlag& stop) {
  const std::vector<std::string> steps = StepFolders(folder_.folder());
  return folder_.work().ForEachName([&](const std::string& name) -> Status {
    if (stop.StopRequested()) return LookInterrupted();
    if (name.ends_with('/')) return {};  // a group's count
    if (!IsImage(folder_.folder() + "/" + name) && TRY(LookAtExports(name))) return {};
    if (TRY(LookWhereNoted(name))) return {};
    return LookInSteps(name, steps);
  });
}

/// Files that lie where the user said, which is noted, each in all folders where one of this name was
/// written. False where none is known.
Result<bool> MissingOutputs::LookAtExports(const std::string& name) {
  std::set<std::string> paths;
  bool known = false;
  const std::vector<FoundWork> found = TRY(folder_.work().Of(name));
  for (const FoundWork& work : found) {
    if (work.key.output != name) continue;  // of one that has the name's end
    const std::optional<std::string> where = TRY(folder_.work().FolderOfExport(work.key.fingerprint));
    if (!where) continue;
    known = true;
    if (!IsAskedFor(Join(*where, name))) continue;
    paths.insert(Join(*where, name));
    if (!Exists(Join(*where, name))) works_.push_back(work);
  }
  for (const std::string& path : paths) {
    if (!Exists(path)) {
      told_.missing(path);
    } else {
      TRY(told_.unlisted(name, path));
    }
  }
  return known;
}

/// Where the work may have written: not where later steps with the same options have written this name.
/// @param found  all work of the name
Result<std::vector<std::string>> MissingOutputs::FoldersOf(const FoundWork& work,
                                                           const std::vector<FoundWork>& found) {
  const std::vector<std::string> all = TRY(folder_.work().FoldersOf(work));
  if (all.size() < 2) return all;
  std::vector<std::string> own = all;
  const size_t before = TRY(folder_.work().StepsBefore(work));
  for (const FoundWork& other : found) {
    if (other.key.output != work.key.output || OptionsOf(other) != OptionsOf(work)) continue;
    if (TRY(folder_.work().StepsBefore(other)) <= before) continue;
    const std::vector<std::string> theirs = TRY(folder_.work().FoldersOf(other));
    std::erase_if(own, [&](const std::string& each) {
      return std::find(theirs.begin(), theirs.end(), each) != theirs.end();
    });
  }
  return own.empty() ? all : own;
}

/// Whether an action has moved the file from where it was written: it is looked for where it went, by the
/// record of that. What is to be forgotten there is so here, too.
Result<bool> MissingOutputs::WasMoved(const FoundWork& work, const std::vector<std::string>& folders) {
  for (const std::string& each : folders) {
    const std::vector<std::string> places =
        TRY(folder_.work().FindMoved(Join(each, work.key.output), work.row.digest));
    if (places.empty()) continue;
    if (std::ranges::none_of(places, Exists) && IsAskedFor(places.back())) works_.push_back(work);
    return true;
  }
  return false;
}

/// Files whose folder is noted. False where none of this name is known to have one.
Result<bool> MissingOutputs::LookWhereNoted(const std::string& name) {
  std::set<std::string> missing, elsewhere;
  std::set<std::pair<std::string, std::string>> told;  // by source and options, whatever the source was then
  bool noted = false;
  const std::vector<FoundWork> found = TRY(folder_.work().Of(name));
  for (const FoundWork& work : found) {
    if (work.key.output != name) continue;  // of one that has the name's end
    std::vector<std::string> folders = TRY(FoldersOf(work, found));
    if (folders.empty()) continue;
    noted = true;
    bool there = false;
    for (const std::string& each : folders) {
      const std::string path = Join(each, name);
      if (!Exists(path)) continue;
      there = true;
      const bool listed = path.starts_with(Join(folder_.folder(), "")) && IsImage(path);
      if (!listed && IsAskedFor(path)) elsewhere.insert(path);
    }
    if (there || TRY(WasMoved(work, folders))) continue;
    std::erase_if(folders, [&](const std::string& each) { return !IsAskedFor(Join(each, name)); });
    if (folders.empty()) continue;
    works_.push_back(work);
    if (!told.emplace(work.key.source, OptionsOf(work)).second) continue;
    // It was written to one of these; where other sources were, too, each of them tells of another.
    for (const std::string& each : folders) {
      if (missing.insert(Join(each, name)).second) break;
    }
  }
  for (const std::string& path : missing) told_.missing(path);
  for (const std::string& path : elsewhere) TRY(told_.unlisted(name, path));
  return noted;
}

/// A file of a catalog that does not note folders.
Status MissingOutputs::LookInSteps(const std::string& name, const std::vector<std::string>& steps) {
  const auto look = [&](const std::string& relative) -> Status {
    const std::string path = folder_.folder() + "/" + relative;
    return IsImage(path) || !IsAskedFor(path) ? Status() : told_.unlisted(relative, path);
  };
  if (Exists(folder_.folder() + "/" + name)) return look(name);
  bool there = false;
  for (const std::string& step : steps) {
    const std::string relative = step + "/" + name;
    if (!Exists(folder_.folder() + "/" + relative)) continue;
    there = true;
    TRY(look(relative));
  }
  if (there || !IsAskedFor(folder_.folder() + "/" + name)) return {};
  told_.missing(folder_.folder() + "/" + name);
  std::vector<FoundWork> found = TRY(folder_.work().Of(name));
  std::erase_if(found, [&](const FoundWork& work) { return work.key.output != name; });
  std::move(found.begin(), found.end(), std::back_inserter(works_));
  return {};
}

}  // namespace imgmill
