// The publishing protocol for files that belong together.
#include "imgmill/engine/output_set.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include "base/try.h"
#include "imgmill/catalog/durable_rows.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// The output of the row that stands for the set: no file can have this name.
std::string SetName(const SetPrefixes& prefixes) {
  return prefixes.front() + "/";
}

std::string_view BehindFolder(std::string_view path) {
  return path.substr(path.find('/') + 1);
}

bool IsOfSides(const std::string& relative, const SetPrefixes& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& each) { return relative.starts_with(each); });
}

/// Of several sides also one that is not asked for now: its folder is another, and the rest as that of all.
bool BelongsTo(const std::string& relative, const SetPrefixes& prefixes) {
  if (relative.ends_with('/')) return false;
  return IsOfSides(relative, prefixes) ||
         (prefixes.size() > 1 && BehindFolder(relative).starts_with(BehindFolder(prefixes.front())));
}

/// What the catalog says of a set, and what the folder does.
struct SetInPlace {
  std::vector<std::pair<WorkKey, WorkRow>> rows;
  std::vector<std::string> in_place;
};

/// @param set_key  of the row that stands for the set.
Result<SetInPlace> LookAtSet(OutputFolder& folder, const WorkKey& set_key, const SetPrefixes& prefixes) {
  SetInPlace set;
  const auto look = [&](const std::string& output, const WorkRow& row) {
    if (!BelongsTo(output, prefixes)) return true;
    set.rows.push_back({{set_key.source, set_key.content, set_key.fingerprint, output}, row});
    if (folder.Holds(output, row)) set.in_place.push_back(output);
    return true;
  };
  TRY(folder.catalog().ForEachWork(set_key.source, set_key.content, set_key.fingerprint, look));
  return set;
}

/// Removes what is in place of a set, but for what `stays`. Its rows say so: gone on purpose is not missing.
Status RemoveInPlace(OutputFolder& folder, const SetInPlace& set,
                     const std::function<bool(const std::string&)>& stays) {
  std::vector<std::pair<WorkKey, WorkRow>> gone;
  for (const auto& [key, row] : set.rows) {
    if (stays(key.output)) continue;
    const std::string path = folder.PathOf(key.output);
    if (std::binary_search(set.in_place.begin(), set.in_place.end(), key.output)) ::unlink(path.c_str());
    if (row.state != WorkRow::State::kDone || Exists(path)) continue;  // or changed by somebody
    gone.emplace_back(key, row);
    gone.back().second.state = WorkRow::State::kIntent;
  }
  return gone.empty() ? Status{} : folder.catalog().PutWork(gone);
}

/// Whether what is filed under `key` was made of the item's image with other partners. Where a catalog of old
/// does not say of which image, nobody may take it for one that was replaced.
bool IsOfOtherPartners(OutputFolder& folder, const Item& item, const WorkKey& key) {
  if (key.content == item.WorkContent()) return false;
  const std::optional<std::string> main = folder.catalog().FindFact(key.content, kMainContentFact);
  if (!main) return !item.partners.empty();
  const auto& own = item.main.content.bytes;
  return std::equal(main->begin(), main->end(), own.begin(), own.end(),
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

/// Whether a source of the same content, or one that gave the same file, has it for its own, too.
bool HasOtherSource(OutputFolder& folder, const Item& item, const std::string& name) {
  const std::vector<FoundWork> all = folder.catalog().FindOutputs(name);
  return std::any_of(all.begin(), all.end(), [&](const FoundWork& each) {
    return each.key.source != item.main.absolute && Exists(each.key.source);
  });
}

}  // namespace

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
  TRY(folder_.MayWrite(item_, relative));
  const std::string path = folder_.PathOf(relative);
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
  Held& held = files_.at(relative);
  const FileStamp stamp = TRY(StampOf(held.temporary));
  const ContentDigest digest = TRY(DigestOf(held.temporary));
  held.row.size = stamp.size;
  held.row.digest = digest;
  if (resumed_) ended_.push_back(relative);
  return {};
}

Status OutputSet::Add(const std::string& relative, std::span<const uint8_t> bytes) {
  const std::string temporary = TRY(Begin(relative));
  Held& held = files_.at(relative);
  held.row.size = static_cast<int64_t>(bytes.size());
  held.row.digest = DigestOfBytes(bytes.data(), bytes.size());
  return WriteNewFile(temporary, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
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
  std::map<std::string, WorkRow> rows;
  for (auto& [key, row] : earlier.rows) rows.emplace(std::move(key.output), row);
  for (const std::string& name : earlier.in_place) files_[name].row = rows.at(name);
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

Result<EarlierChoice> FindEarlierChoice(OutputFolder& folder, const Item& item, const SetPrefixes& prefixes,
                                        const std::vector<std::string>& own, bool remove) {
  EarlierChoice earlier;
  const auto stays = [&](const std::string& name) {
    return std::binary_search(own.begin(), own.end(), name) || HasOtherSource(folder, item, name);
  };
  std::set<std::string> seen;
  for (const FoundWork& found : folder.catalog().FindOutputs(SetName(prefixes))) {
    const bool other = !folder.IsOfTheseOptions(found.key) || IsOfOtherPartners(folder, item, found.key);
    if (!other || !folder.IsOfItem(item, found.key)) continue;
    const SetInPlace set = TRY(LookAtSet(folder, found.key, prefixes));
    for (const std::string& name : set.in_place) {
      if (stays(name) || !seen.insert(name).second) continue;
      if (earlier.files++ == 0) earlier.example = name;
      if (!IsOfSides(name, prefixes)) earlier.sides.insert(name.substr(0, name.find('/')));
    }
    if (remove) TRY(RemoveInPlace(folder, set, stays));
  }
  return earlier;
}

Status OutputSet::MakeReady(std::vector<ReadyFile>& ready) {
  for (auto& [name, held] : files_) {
    ReadyFile file = TRY(Ready(name, held));
    // To the byte what an earlier choice has left there.
    if (file.replaces && folder_.Holds(name, held.row)) {
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

Status MayBeginSet(OutputFolder& folder, const Item& item, const SetPrefixes& prefixes) {
  TRY(folder.NoteFolder());
  if (folder.overwrite()) return folder.MayClaim(item, SetName(prefixes));
  bool ours = false;
  std::vector<std::pair<std::string, std::string>> others;  // an output in place, and its source
  for (const FoundWork& set : folder.catalog().FindOutputs(SetName(prefixes))) {
    const SetInPlace found = TRY(LookAtSet(folder, set.key, prefixes));
    if (found.in_place.empty()) continue;
    if (folder.IsOfItem(item, set.key)) {
      ours = true;
    } else {
      others.emplace_back(found.in_place.front(), set.key.source);
    }
  }
  for (const auto& [output, source] : others) {
    if (folder.HasClaim(source, ours)) return folder.OtherSources(output, source);
  }
  return {};
}

namespace {

using Finished = std::optional<std::vector<std::string>>;

/// Of files that are there, but not as any run has written them, takes for in place those that may be edited.
/// `edits` has these then, and no others.
void TakeEdited(OutputFolder& folder, SetInPlace& set, SetEdits& edits) {
  const auto is_ours = [&](const std::string& name) {
    const std::vector<FoundWork> all = folder.catalog().FindOutputs(name);
    return std::any_of(all.begin(), all.end(),
                       [&](const FoundWork& each) { return folder.Holds(name, each.row); });
  };
  edits.found.clear();
  for (const auto& [key, row] : set.rows) {
    if (row.state != WorkRow::State::kDone || !edits.may_be(key.output)) continue;
    if (Exists(folder.PathOf(key.output)) && !is_ours(key.output)) edits.found.push_back(key.output);
  }
  std::vector<std::string> all;
  std::merge(set.in_place.begin(), set.in_place.end(), edits.found.begin(), edits.found.end(),
             std::back_inserter(all));
  set.in_place = std::move(all);
}

/// A set of another source's, of the same content: it is filed under this one's, too.
Result<Finished> TakeOver(OutputFolder& folder, const WorkKey& mine, const SetPrefixes& prefixes,
                          SetEdits* edits) {
  for (const FoundWork& set : folder.catalog().FindOutputs(mine.output)) {
    if (set.key.source == mine.source || set.key.content != mine.content ||
        set.key.fingerprint != mine.fingerprint) {
      continue;
    }
    SetInPlace found = TRY(LookAtSet(folder, set.key, prefixes));
    if (edits != nullptr && set.row.state == WorkRow::State::kDone) TakeEdited(folder, found, *edits);
    const size_t files = found.rows.size();
    if (found.in_place.size() != files || files != static_cast<size_t>(set.row.size)) continue;
    found.rows.emplace_back(set.key, set.row);
    for (auto& [key, row] : found.rows) {
      key.source = mine.source;
      row.state = WorkRow::State::kDone;
    }
    TRY(folder.catalog().PutWork(found.rows));
    return Finished(std::move(found.in_place));
  }
  return Finished();
}

}  // namespace

Result<std::optional<std::vector<std::string>>> FindFinishedSet(OutputFolder& folder, const Item& item,
                                                                const SetPrefixes& prefixes,
                                                                SetEdits* edits) {
  TRY(folder.NoteFolder());
  const WorkKey set_key = folder.KeyOf(item, SetName(prefixes));
  const std::optional<WorkRow> set = folder.catalog().FindWork(set_key);
  if (!set) return TakeOver(folder, set_key, prefixes, edits);
  SetInPlace found = TRY(LookAtSet(folder, set_key, prefixes));
  auto& [rows, in_place] = found;
  if (edits != nullptr && set->state == WorkRow::State::kDone) TakeEdited(folder, found, *edits);
  const bool whole = in_place.size() == rows.size() && rows.size() == static_cast<size_t>(set->size);
  if (!whole) {
    if (set->state == WorkRow::State::kIntent) {
      for (const std::string& half : in_place) {
        if (!HasOtherSource(folder, item, half)) ::unlink(folder.PathOf(half).c_str());
      }
    }
    return Finished();
  }
  TRY(folder.NoteSidecars(item));  // which versions of old have not
  // Rows that are not done: the set's is put last, and a file's may have been forgotten while it was gone.
  rows.emplace_back(set_key, *set);
  std::erase_if(rows, [](const auto& each) { return each.second.state == WorkRow::State::kDone; });
  for (auto& [key, row] : rows) row.state = WorkRow::State::kDone;
  if (!rows.empty()) TRY(folder.catalog().PutWork(rows));
  return Finished(std::move(in_place));
}

}  // namespace imgmill
