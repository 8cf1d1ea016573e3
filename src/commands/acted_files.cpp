// Rows of finished work, whose fingerprint is the action.
#include "acted_files.h"

#include <sys/stat.h>

#include <algorithm>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/catalog/finished_work.h"

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
  return CanonicalOrSame(path);
}

ActedFiles::ActedFiles(std::string command, const std::string& folder, const CommandServices& services)
    : command_(std::move(command)), catalog_(*services.catalog) {
  const bool of_output = services.in_pipeline || NameOf(catalog_.folder()) == ".imgmill";
  if (of_output && !folder.empty()) folder_ = CanonicalOrEntry(folder);
}

Status ActedFiles::Add(const FileAction& action) {
  if (folder_.empty() || !action.has_target()) return {};
  const std::string target = AbsoluteEntry(action.target);
  const std::string begin = Join(folder_, "");
  if (!target.starts_with(begin)) return {};
  const Result<FileStamp> stamp = StampOf(target);
  const Result<ContentDigest> content =
      action.content && !action.sidecar ? Result<ContentDigest>(*action.content) : DigestOf(target);
  if (!stamp || !content) return {};  // it is gone again, or was taken away from us
  WorkKey key;
  key.source = SourceOfAction(action.path);
  key.content = *content;
  key.fingerprint = ActionInto(command_, WordFor(action.kind), folder_, catalog_.folder());
  key.output = target.substr(begin.size());
  const WorkRow row{WorkRow::State::kDone, stamp->size, *content};
  if (const std::optional<WorkRow> known = catalog_.FindWork(key);
      known && known->state == row.state && known->size == row.size && known->digest == row.digest)
    return {};
  if (std::ranges::find(noted_, key.fingerprint) == noted_.end()) {
    noted_.push_back(key.fingerprint);
    rows_.emplace_back(KeyOfFolder(folder_, catalog_.folder(), key.fingerprint),
                       WorkRow{WorkRow::State::kDone, 0, {}});
  }
  rows_.emplace_back(std::move(key), row);
  return rows_.size() < kRowsAtOnce ? Status() : Put();
}

Status ActedFiles::AddFound(const FileAction& action) {
  if (action.kind == FileAction::Kind::kCopy && !HasTimeOf(action.target, action.path)) return {};
  return Add(action);
}

Status ActedFiles::Put() {
  if (rows_.empty()) return {};
  return catalog_.PutWork(std::exchange(rows_, {}));
}

}  // namespace imgmill
