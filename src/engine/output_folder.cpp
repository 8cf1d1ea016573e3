// The publishing protocol, and the check that a file found in place is really ours.
#include "imgmill/engine/output_folder.h"

#include <unistd.h>

#include <algorithm>
#include <functional>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/same_file.h"
#include "base/try.h"
#include "catalog/sidecar_lines.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/durable_rows.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/dataset/sidecars.h"

namespace imgmill {
namespace {

/// Of a file in place. A file that cannot be read has none, and is nobody's.
std::optional<ContentDigest> DigestIfSize(const std::string& path, int64_t size) {
  const Result<FileStamp> stamp = StampOf(path);
  if (!stamp || stamp->size != size) return std::nullopt;
  const Result<ContentDigest> digest = DigestOf(path);
  return digest ? std::optional(*digest) : std::nullopt;
}

bool HasBytesOf(const std::string& path, const WorkRow& row) {
  return DigestIfSize(path, row.size) == row.digest;
}

/// Where the file of `row`, which was at `entry`, is now as it was written. It may have been moved before, as
/// it is now, and be another where it went then.
std::optional<std::string> WhereMoved(Catalog& catalog, const std::string& entry, const WorkRow& row) {
  for (std::string& place : catalog.FindMoved(entry, row.digest)) {
    if (HasBytesOf(place, row)) return std::move(place);
  }
  return std::nullopt;
}

size_t HashOf(const std::string& text) {
  return std::hash<std::string>()(text);
}

/// Works of one hash give the same bytes.
size_t HashOf(const WorkKey& work) {
  return HashOf(work.content.Hex() + work.fingerprint);
}

}  // namespace

TemporaryFile::~TemporaryFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

OutputFolder::OutputFolder(std::string folder, std::string fingerprint, Catalog& catalog, bool overwrite)
    : folder_(std::move(folder)),
      fingerprint_(std::move(fingerprint)),
      catalog_(catalog),
      overwrite_(overwrite) {}

Status OutputFolder::NoteFolder() {
  const std::lock_guard lock(mutex_);
  if (noted_ || catalog_.folder().empty()) return {};
  const WorkKey key = KeyOfFolder(folder_, catalog_.folder(), fingerprint_);
  if (!catalog_.FindWork(key)) TRY(catalog_.PutWork(key, {WorkRow::State::kDone, 0, {}}));
  noted_ = true;
  return {};
}

Result<bool> OutputFolder::Finished(const Item& item, const std::string& relative) {
  TRY(NoteFolder());
  const WorkKey key = KeyOf(item, relative);
  const std::optional<WorkRow> row = catalog_.FindWork(key);
  if (row && (Holds(relative, *row) || WasMoved(relative, *row))) {
    if (row->state == WorkRow::State::kDone) return true;
    Status put = catalog_.PutWork(key, {WorkRow::State::kDone, row->size, row->digest});
    return put ? Result<bool>(true) : put.error();
  }
  for (const FoundWork& found : catalog_.FindOutputs(relative)) {
    const bool same_work = found.key.content == key.content && found.key.fingerprint == key.fingerprint;
    if (!same_work || found.key.source == key.source || !Holds(relative, found.row)) continue;
    Status put = catalog_.PutWork(key, {WorkRow::State::kDone, found.row.size, found.row.digest});
    return put ? Result<bool>(true) : put.error();
  }
  return false;
}

Status OutputFolder::NoteSidecars(const Item& item) {
  const std::optional<ContentDigest> key = SidecarsKey(item.main.absolute, KeyOf(item, "").fingerprint);
  if (!key || catalog_.FindFact(*key, kSidecarsFact)) return {};
  std::string lines;
  for (const SourceFile& sidecar : item.sidecars)
    lines.append(SidecarLine({sidecar.absolute, sidecar.content}));
  return catalog_.PutFact(*key, kSidecarsFact, lines);
}

WorkKey OutputFolder::KeyOf(const Item& item, const std::string& relative) const {
  WorkKey key{item.main.absolute, item.WorkContent(), fingerprint_, relative};
  if (item.sidecars.empty()) return key;
  std::string all;
  for (const SourceFile& sidecar : item.sidecars) {
    // How it is called goes into the outputs' names.
    all.append(EndingBehindStem(item.main.path, sidecar.path))
        .append(" ")
        .append(sidecar.content.Hex())
        .append("\n");
  }
  key.fingerprint.append(kWithSidecars).append(DigestOfBytes(all.data(), all.size()).Hex());
  return key;
}

bool OutputFolder::IsOfTheseOptions(const WorkKey& key) const {
  return std::string_view(key.fingerprint).substr(0, key.fingerprint.find(kWithSidecars)) == fingerprint_;
}

bool OutputFolder::IsOfItem(const Item& item, const WorkKey& key) const {
  if (key.source == item.main.absolute) return true;
  const WorkKey mine = KeyOf(item, key.output);
  if (key.content == mine.content && key.fingerprint == mine.fingerprint) return true;
  return ParentOf(key.source) == ParentOf(item.main.absolute) && IsGone(key.source);
}

bool OutputFolder::HasClaim(const std::string& other_source, bool ours) const {
  return !ours || !IsGone(other_source);
}

Error OutputFolder::OtherSources(const std::string& relative, const std::string& source) const {
  return Error{Stage::kWrite, Code::kConflict,
               PrintablePath(PathOf(relative)) + " is the output of another source, " +
                   PrintablePath(source) + " (choose another output folder, or use --force to replace it)"};
}

Status OutputFolder::CheckOwner(const Item& item, const std::string& relative) {
  bool ours = false, changed = false;
  std::optional<std::string> other;
  for (const FoundWork& found : catalog_.FindOutputs(relative)) {
    // A copy that was made of it elsewhere has the same name there, and this file for its source.
    if (IsAction(found.key.fingerprint)) continue;
    if (!Holds(relative, found.row)) {
      changed = changed || found.row.state == WorkRow::State::kDone;
      continue;
    }
    if (IsOfItem(item, found.key)) {
      ours = true;
    } else if (!other || !IsGone(found.key.source)) {
      other = found.key.source;
    }
  }
  if (other && HasClaim(*other, ours)) return OtherSources(relative, *other);
  if (ours) return {};
  return Error{Stage::kWrite, Code::kConflict,
               PrintablePath(PathOf(relative)) +
                   (changed ? " was changed since imgmill wrote it"
                            : " exists already and is not a known output of imgmill") +
                   " (use --force to replace it)"};
}

bool OutputFolder::Holds(const std::string& relative, const WorkRow& row) const {
  return HasBytesOf(PathOf(relative), row);
}

bool OutputFolder::WasMoved(const std::string& relative, const WorkRow& row) const {
  const std::string path = PathOf(relative);
  return !Exists(path) && WhereMoved(catalog_, CanonicalOrEntry(path), row).has_value();
}

bool OutputFolder::WasMovedEdited(const std::string& relative) const {
  return !Exists(PathOf(relative)) && EditedPlace(relative).has_value();
}

/// Where a file is that was moved and has been changed since. One that still is as any run has written it was
/// made of an earlier version of the source, and stands for that.
std::optional<std::string> OutputFolder::EditedPlace(const std::string& relative) const {
  const std::vector<FoundWork> rows = catalog_.FindOutputs(relative);
  for (std::string& place : catalog_.FindMoved(CanonicalOrEntry(PathOf(relative)), std::nullopt)) {
    const bool as_written =
        std::ranges::any_of(rows, [&](const FoundWork& each) { return HasBytesOf(place, each.row); });
    if (!as_written && Exists(place)) return std::move(place);
  }
  return std::nullopt;
}

std::string OutputFolder::PlaceOf(const std::string& relative) const {
  std::string path = PathOf(relative);
  if (Exists(path)) return path;
  const std::string entry = CanonicalOrEntry(path);
  for (const FoundWork& found : catalog_.FindOutputs(relative)) {
    if (!IsOfTheseOptions(found.key)) continue;
    if (std::optional<std::string> place = WhereMoved(catalog_, entry, found.row)) return *std::move(place);
  }
  return EditedPlace(relative).value_or(path);
}

Status OutputFolder::MayWrite(const Item& item, const std::string& relative) {
  const std::string path = PathOf(relative);
  if (!Exists(path)) return {};
  const auto is_it = [&](const SourceFile& file) -> Status {
    if (!IsSameFile(path, file.path)) return {};
    return Error{Stage::kWrite, Code::kConflict, ""};
  };
  if (!ForEachFile(item, is_it)) {
    return Error{Stage::kWrite, Code::kConflict,
                 PrintablePath(path) + " is the source itself (choose another output folder)"};
  }
  return overwrite_ ? MayClaim(item, relative) : CheckOwner(item, relative);
}

Status OutputFolder::MayClaim(const Item& item, const std::string& relative) {
  const size_t work = HashOf(KeyOf(item, relative));
  std::unique_lock lock(mutex_);
  const auto claim = claims_.find(HashOf(relative));
  if (claim == claims_.end() || claim->second.work == work) return {};
  const size_t other = claim->second.work;
  lock.unlock();
  return Claimed(item, relative, other);
}

Status OutputFolder::Claim(const Item& item, const std::string& relative) {
  if (!overwrite_ && !relative.ends_with('/')) return {};
  const size_t work = HashOf(KeyOf(item, relative));
  std::unique_lock lock(mutex_);
  ClaimedName& claim = claims_.try_emplace(HashOf(relative), ClaimedName{work, 0}).first->second;
  const size_t owner = claim.work;
  if (owner == work) ++claim.holders;
  lock.unlock();
  return owner == work ? Status{} : Status(Claimed(item, relative, owner));
}

void OutputFolder::GiveBack(const std::string& relative) {
  const std::lock_guard lock(mutex_);
  const auto claim = claims_.find(HashOf(relative));
  if (claim != claims_.end() && --claim->second.holders == 0) claims_.erase(claim);
}

/// @param work  the hash of the other's
Error OutputFolder::Claimed(const Item& item, const std::string& relative, size_t work) {
  std::string source;
  for (const FoundWork& found : catalog_.FindOutputs(relative)) {
    if (found.key.source != item.main.absolute && HashOf(found.key) == work) source = found.key.source;
  }
  std::string name = PathOf(relative);
  if (name.ends_with('/')) name.back() = '*';  // the name of a set, which begins all of its files
  return Error{Stage::kWrite, Code::kConflict,
               PrintablePath(name) + " is what this run has made of another source" +
                   (source.empty() ? "" : ", " + PrintablePath(source)) +
                   " (choose another output folder for one of the two: --force replaces only what earlier "
                   "runs have made)"};
}

Status OutputFolder::MayMakeFolder(const std::string& relative) const {
  return CheckTargetFolder(ParentOf(PathOf(relative)));
}

void OutputFolder::LeftEmpty(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  left_empty_.insert(folder);
}

OutputFolder::~OutputFolder() {
  for (std::string folder : left_empty_) {
    while (folder.size() > folder_.size() && ::rmdir(folder.c_str()) == 0) folder = ParentOf(folder);
  }
}

Result<std::string> OutputFolder::Begin(const Item& item, const std::string& relative) {
  TRY(MayWrite(item, relative));
  const std::string path = PathOf(relative);
  TRY(MakeFolders(ParentOf(path)));
  return TemporaryNameFor(path);
}

Status OutputFolder::Commit(const Item& item, const std::string& relative, const std::string& temporary) {
  const Result<ContentDigest> digest = DigestOf(temporary);
  return digest ? CommitAs(item, relative, temporary, *digest) : digest.error();
}

Status OutputFolder::CommitAs(const Item& item, const std::string& relative, const std::string& temporary,
                              const ContentDigest& digest) {
  TRY(NoteFolder());
  const FileStamp stamp = TRY(StampOf(temporary));
  // Again: since Begin, another source of this run may have given the same name. What comes after this
  // question is not replaced either.
  const bool replaces = Exists(PathOf(relative));
  TRY(MayWrite(item, relative));
  TRY(Claim(item, relative));
  const WorkKey key = KeyOf(item, relative);
  const auto publish = [&]() -> Status {
    TRY(catalog_.PutWork(key, {WorkRow::State::kIntent, stamp.size, digest}));
    TRY(MakeRowsDurable(catalog_));
    return Publish(temporary, PathOf(relative), replaces);
  };
  if (const Status published = publish(); !published) {
    GiveBack(relative);
    return published;
  }
  return catalog_.PutWork(key, {WorkRow::State::kDone, stamp.size, digest});
}

}  // namespace imgmill
