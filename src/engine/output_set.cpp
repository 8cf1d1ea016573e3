// The publishing protocol for files that belong together.
#include "imgmill/engine/output_set.h"

#include <unistd.h>

#include <utility>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/durable_rows.h"
#include "imgmill/dataset/publish.h"
#include "set_in_place.h"

namespace imgmill {

OutputSet::OutputSet(OutputFolder& folder, const Item& item, SetPrefixes prefixes)
    : folder_(folder), item_(item), prefixes_(std::move(prefixes)) {}

OutputSet::~OutputSet() {
  GiveUp();
  if (claimed_ && !published_) folder_.GiveBack(SetName(prefixes_));
}

Status OutputSet::ClaimName() {
  if (claimed_) return {};
  TRY(folder_.Claim(item_, SetName(prefixes_)));
  claimed_ = true;
  return {};
}

void OutputSet::GiveUp() {
  bool given_up = false;
  for (auto& [name, held] : files_) {
    if (held.temporary.empty()) continue;
    ::unlink(held.temporary.c_str());
    held.temporary.clear();
    given_up = true;
  }
  for (const std::string& parent : made_) {
    if (given_up) folder_.LeftEmpty(parent);
  }
}

Result<std::string> OutputSet::Begin(const std::string& relative) {
  if (files_.empty()) {
    TRY(MayBeginSet(folder_, item_, prefixes_));
  }
  const std::string path = folder_.PathOf(relative);
  if (const auto begun = files_.find(relative); begun != files_.end() && !begun->second.temporary.empty())
    return Error{Stage::kWrite, Code::kConflict,
                 "two files that are made of it would be called " + PrintablePath(path)};
  TRY(folder_.MayWrite(item_, relative));
  const std::string parent = path.substr(0, path.rfind('/'));
  if (made_.insert(parent).second) {
    TRY(MakeFolders(parent));
  }
  Held held;
  held.temporary = TemporaryNameFor(path);
  std::string temporary = held.temporary;
  files_[relative] = std::move(held);
  return temporary;
}

Status OutputSet::End(const std::string& relative) {
  const Held& held = files_.at(relative);
  const FileStamp stamp = TRY(StampOf(held.temporary));
  const ContentDigest digest = TRY(DigestOf(held.temporary));
  End(relative, stamp.size, digest);
  return {};
}

void OutputSet::End(const std::string& relative, int64_t size, const ContentDigest& digest) {
  WorkRow& row = files_.at(relative).row;
  row.size = size;
  row.digest = digest;
  if (resumed_) ended_.push_back(relative);
}

Status OutputSet::Add(const std::string& relative, std::span<const uint8_t> bytes) {
  const std::string temporary = TRY(Begin(relative));
  TRY(WriteNewFile(temporary, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  End(relative, static_cast<int64_t>(bytes.size()), DigestOfBytes(bytes.data(), bytes.size()));
  return {};
}

void OutputSet::Remove(const std::string& relative) {
  const auto found = files_.find(relative);
  if (found == files_.end()) return;
  ::unlink(found->second.temporary.c_str());
  files_.erase(found);
}

std::pair<WorkKey, WorkRow> OutputSet::Whole(WorkRow::State state, size_t missing) const {
  return {folder_.KeyOf(item_, SetName(prefixes_)),
          WorkRow{state, static_cast<int64_t>(files_.size() + missing), ContentDigest{}}};
}

Status OutputSet::Put(WorkRow::State state, size_t missing) {
  Rows rows;
  rows.reserve(files_.size() + 1);
  for (auto& [name, held] : files_) {
    held.row.state = state;
    rows.emplace_back(folder_.KeyOf(item_, name), held.row);
  }
  rows.push_back(Whole(state, missing));  // last: where it says done, all others do
  return folder_.catalog().PutWork(rows);
}

Status OutputSet::Resume() {
  TRY(MayBeginSet(folder_, item_, prefixes_));
  resumed_ = true;
  if (folder_.overwrite()) return {};  // all of it is to be made again
  const WorkKey set_key = folder_.KeyOf(item_, SetName(prefixes_));
  SetInPlace earlier = TRY(LookAtSet(folder_, set_key, prefixes_));
  const std::vector<std::string> made = InPlaceOrMoved(folder_, earlier);
  std::map<std::string, WorkRow> rows;
  for (auto& [key, row] : earlier.rows) rows.emplace(std::move(key.output), row);
  for (const std::string& name : made) files_[name].row = rows.at(name);
  return {};
}

bool OutputSet::Has(const std::string& relative) const {
  const auto found = files_.find(relative);
  return found != files_.end() && found->second.temporary.empty();
}

/// Since Begin, another source of this run may have given the same name.
Result<ReadyFile> OutputSet::Ready(const std::string& relative, const Held& held) const {
  const std::string path = folder_.PathOf(relative);
  const bool replaces = Exists(path);  // now: what comes after this question is another's
  TRY(folder_.MayWrite(item_, relative));
  return ReadyFile{held.temporary, path, replaces};
}

Status OutputSet::PublishSoFar() {
  if (ended_.empty()) return {};
  std::vector<ReadyFile> ready;
  for (const std::string& name : ended_) {
    ReadyFile file = TRY(Ready(name, files_.at(name)));
    ready.push_back(std::move(file));
  }
  TRY(ClaimName());
  const auto put = [&](WorkRow::State state) {
    Rows rows;
    for (const std::string& name : ended_) {
      WorkRow& row = files_.at(name).row;
      row.state = state;
      rows.emplace_back(folder_.KeyOf(item_, name), row);
    }
    if (!std::exchange(begun_, true)) rows.push_back(NotWhole());
    return folder_.catalog().PutWork(rows);
  };
  TRY(put(WorkRow::State::kIntent));
  TRY(MakeRowsDurable(folder_.catalog()));
  TRY(PublishTogether(ready));
  published_ = true;
  for (const std::string& name : ended_) std::string().swap(files_.at(name).temporary);
  const Status put_done = put(WorkRow::State::kDone);
  ended_.clear();
  return put_done;
}

/// By which other sources and a later content of this one find what was published of a set. Of a size that no
/// set has: it is never taken for a whole one, nor for one that was about to be, whose files would be
/// removed.
std::pair<WorkKey, WorkRow> OutputSet::NotWhole() const {
  std::pair<WorkKey, WorkRow> row = Whole(WorkRow::State::kDone, 0);
  row.second.size = -1;
  return row;
}

Status OutputSet::CommitResumed(size_t missing) {
  TRY(PublishSoFar());
  TRY(RemoveReplaced());
  return folder_.catalog().PutWork(Rows{Whole(WorkRow::State::kDone, missing)});
}

Status OutputSet::RemoveReplaced() {
  for (const FoundWork& set : folder_.catalog().FindOutputs(SetName(prefixes_))) {
    const WorkKey& key = set.key;
    const WorkKey mine = folder_.KeyOf(item_, key.output);
    // Those of other options, or of other partners, may lie side by side with ours.
    const bool same = key.content == mine.content;
    if (same && (key.fingerprint == mine.fingerprint || !folder_.IsOfTheseOptions(key))) continue;
    if (IsOfOtherPartners(folder_, item_, key)) continue;
    if (!folder_.IsOfItem(item_, key) && !folder_.overwrite()) continue;
    const SetInPlace old = TRY(LookAtSet(folder_, key, prefixes_));
    TRY(RemoveInPlace(folder_, old, [this](const std::string& name) { return files_.contains(name); }));
  }
  return {};
}

Status OutputSet::MakeReady(std::vector<ReadyFile>& ready) {
  const bool may_be_moved = !folder_.overwrite() && folder_.WasWritten(SetName(prefixes_));
  for (auto& [name, held] : files_) {
    ReadyFile file = TRY(Ready(name, held));
    // To the byte what an earlier choice has left there, or what an action has moved from there.
    if (file.replaces ? folder_.Holds(name, held.row) : may_be_moved && folder_.WasMoved(name, held.row)) {
      ::unlink(held.temporary.c_str());
      held.temporary.clear();
    } else {
      ready.push_back(std::move(file));
    }
  }
  // Who gives no file takes no name from others.
  return files_.empty() ? Status() : ClaimName();
}

Status OutputSet::Commit(size_t missing) {
  TRY(folder_.NoteSidecars(item_));
  if (resumed_) return CommitResumed(missing);
  std::vector<ReadyFile> ready;
  if (const Status taken = MakeReady(ready); !taken) {
    GiveUp();
    return taken;
  }
  TRY(Put(WorkRow::State::kIntent, missing));
  TRY(MakeRowsDurable(folder_.catalog()));
  // Before the renames: once the new set is whole, a rerun looks no more.
  TRY(RemoveReplaced());
  for (auto& [name, held] : files_) held.temporary.clear();
  TRY(PublishTogether(ready));
  published_ = !files_.empty();
  return Put(WorkRow::State::kDone, missing);
}

std::vector<std::string> OutputSet::names() const {
  std::vector<std::string> names;
  names.reserve(files_.size());
  for (const auto& [name, held] : files_) names.push_back(name);
  return names;
}

std::vector<std::string> OutputSet::published() const {
  std::vector<std::string> names;
  for (const auto& [name, held] : files_) {
    if (held.temporary.empty()) names.push_back(name);
  }
  return names;
}

}  // namespace imgmill
