// Rows of finished work, whose fingerprint is the action.
#include "acted_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "deleted_outputs.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr size_t kRowsAtOnce = 256;

const char* WordFor(FileAction::Kind kind) {
  switch (kind) {
    case FileAction::Kind::kMove:
      return "move";
    case FileAction::Kind::kNewHardlink:
      return "hardlink";
    case FileAction::Kind::kNewSymlink:
      return "symlink";
    default:
      return "copy";
  }
}

/// imgmill gives a copy the time of what it copies.
bool HasTimeOf(const std::string& copy, const std::string& original) {
  const Result<FileStamp> one = StampOf(copy);
  const Result<FileStamp> other = StampOf(original);
  return one && other && one->mtime_ns == other->mtime_ns;
}

}  // namespace

std::string SourceOfAction(const std::string& path) {
  if (HasStdinArchive()) {
    const std::string name(kStdinArchive);
    const std::string absolute = AbsoluteEntry(name);
    if (path.starts_with(Join(absolute, ""))) return name + path.substr(absolute.size());
  }
  std::string found = CanonicalOrSame(path);
  const bool gone = found == path && !IntoArchive(path);  // as what was moved from there is
  return gone ? CanonicalOrEntry(path) : found;
}

ActedFiles::ActedFiles(std::string command, const std::vector<std::string>& folders,
                       const CommandServices& services)
    : command_(std::move(command)),
      of_output_(services.in_pipeline || NameOf(services.catalog->folder()) == ".imgmill"),
      catalog_(*services.catalog) {
  for (const std::string& folder : folders) {
    if (of_output_ && !folder.empty()) folders_.push_back(CanonicalOrEntry(folder));
  }
}

Status ActedFiles::Add(const FileAction& action) {
  if (action.takes_away()) return AddDeleted(action.path);
  if (folders_.empty() || !action.has_target()) return {};
  const std::string target = AbsoluteEntry(action.target);
  const auto folder = std::ranges::find_if(
      folders_, [&](const std::string& each) { return target.starts_with(Join(each, "")); });
  if (folder == folders_.end()) return {};
  const Result<FileStamp> stamp = StampOf(target);
  const Result<ContentDigest> content =
      action.content && !action.sidecar ? Result<ContentDigest>(*action.content) : DigestOf(target);
  if (!stamp || !content) return {};  // it is gone again, or was taken away from us
  WorkKey key;
  key.source = SourceOfAction(action.path);
  key.content = *content;
  key.fingerprint = ActionInto(command_, WordFor(action.kind), *folder, catalog_.folder());
  key.output = target.substr(Join(*folder, "").size());
  // A later run is given it where it is now.
  if (action.kind == FileAction::Kind::kMove) TRY(catalog_.PutFile(target, {*stamp, *content}));
  const WorkRow row{WorkRow::State::kDone, stamp->size, *content};
  if (const std::optional<WorkRow> known = catalog_.FindWork(key);
      known && known->state == row.state && known->size == row.size && known->digest == row.digest)
    return {};
  if (std::ranges::find(noted_, key.fingerprint) == noted_.end()) {
    noted_.push_back(key.fingerprint);
    rows_.emplace_back(KeyOfFolder(*folder, catalog_.folder(), key.fingerprint),
                       WorkRow{WorkRow::State::kDone, 0, {}});
  }
  rows_.emplace_back(std::move(key), row);
  return rows_.size() < kRowsAtOnce ? Status() : Put();
}

Status ActedFiles::AddDeleted(const std::string& path) {
  if (!of_output_ || Exists(path)) return {};
  WorkRows rows = RowsOfDeleted(catalog_, path);
  std::move(rows.begin(), rows.end(), std::back_inserter(rows_));
  return rows_.size() < kRowsAtOnce ? Status() : Put();
}

Status ActedFiles::AddFound(const FileAction& action) {
  const bool is_copy = action.kind == FileAction::Kind::kCopy;
  if (is_copy && !HasTimeOf(action.target, action.path) && !IsOnRecord(action)) return {};
  return Add(action);
}

bool ActedFiles::IsOnRecord(const FileAction& action) const {
  const std::string target = AbsoluteEntry(action.target);
  return std::ranges::any_of(folders_, [&](const std::string& folder) {
    if (!target.starts_with(Join(folder, ""))) return false;
    const std::string made_by = ActionInto(command_, WordFor(action.kind), folder, catalog_.folder());
    const std::vector<FoundWork> rows = catalog_.FindOutputs(target.substr(Join(folder, "").size()));
    return std::ranges::any_of(rows, [&](const FoundWork& found) {
      return found.key.fingerprint == made_by && found.row.state == WorkRow::State::kDone;
    });
  });
}

Status ActedFiles::Put() {
  if (rows_.empty()) return {};
  return catalog_.PutWork(std::exchange(rows_, {}));
}

}  // namespace imgmill
