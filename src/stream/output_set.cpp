// The publishing protocol for files that belong together.
#include "imgmill/stream/output_set.h"

#include <unistd.h>

#include <algorithm>

#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// The output of the row that stands for the set: no file can have this name.
std::string SetName(const SetPrefixes& prefixes) {
  return prefixes.front() + "/";
}

bool BelongsTo(const std::string& relative, const SetPrefixes& prefixes) {
  return !relative.ends_with('/') &&
         std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& each) { return relative.starts_with(each); });
}

}  // namespace

OutputSet::OutputSet(OutputFolder& folder, const Item& item, SetPrefixes prefixes)
    : folder_(folder), item_(item), prefixes_(std::move(prefixes)) {}

OutputSet::~OutputSet() {
  for (const auto& [name, held] : files_) {
    if (!held.temporary.empty()) ::unlink(held.temporary.c_str());
  }
}

Status OutputSet::Add(const std::string& relative, std::span<const uint8_t> bytes) {
  if (Status may = folder_.MayWrite(item_, relative); !may) return may;
  const std::string path = folder_.PathOf(relative);
  const std::string parent = path.substr(0, path.rfind('/'));
  if (made_.insert(parent).second) {
    if (Status made = MakeFolders(parent); !made) return made;
  }
  Held held;
  held.temporary = TemporaryNameFor(path);
  held.row.size = static_cast<int64_t>(bytes.size());
  held.row.digest = DigestOfBytes(bytes.data(), bytes.size());
  const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (Status written = WriteNewFile(held.temporary, content); !written) return written;
  files_[relative] = std::move(held);
  return {};
}

void OutputSet::Remove(const std::string& relative) {
  const auto found = files_.find(relative);
  if (found == files_.end()) return;
  ::unlink(found->second.temporary.c_str());
  files_.erase(found);
}

Status OutputSet::Put(WorkRow::State state) {
  std::vector<std::pair<WorkKey, WorkRow>> rows;
  rows.reserve(files_.size() + 1);
  for (auto& [name, held] : files_) {
    held.row.state = state;
    rows.emplace_back(folder_.KeyOf(item_, name), held.row);
  }
  // Last: where it says done, all others do.
  rows.emplace_back(folder_.KeyOf(item_, SetName(prefixes_)),
                    WorkRow{state, static_cast<int64_t>(files_.size()), ContentDigest{}});
  return folder_.catalog().PutWork(rows);
}

Status OutputSet::Commit() {
  if (Status put = Put(WorkRow::State::kIntent); !put) return put;
  std::vector<ReadyFile> ready;
  ready.reserve(files_.size());
  for (auto& [name, held] : files_) ready.push_back({std::move(held.temporary), folder_.PathOf(name)});
  for (auto& [name, held] : files_) held.temporary.clear();
  if (Status published = PublishTogether(ready); !published) return published;
  return Put(WorkRow::State::kDone);
}

std::vector<std::string> OutputSet::names() const {
  std::vector<std::string> names;
  names.reserve(files_.size());
  for (const auto& [name, held] : files_) names.push_back(name);
  return names;
}

Result<std::optional<std::vector<std::string>>> FindFinishedSet(OutputFolder& folder, const Item& item,
                                                                const SetPrefixes& prefixes) {
  using Answer = std::optional<std::vector<std::string>>;
  const WorkKey set_key = folder.KeyOf(item, SetName(prefixes));
  const std::optional<WorkRow> set = folder.catalog().FindWork(set_key);
  if (!set) return Answer();
  std::vector<std::pair<WorkKey, WorkRow>> rows;
  std::vector<std::string> in_place;
  const auto look = [&](const std::string& output, const WorkRow& row) {
    if (!BelongsTo(output, prefixes)) return true;
    rows.emplace_back(folder.KeyOf(item, output), row);
    if (folder.Holds(output, row)) in_place.push_back(output);
    return true;
  };
  if (Status read = folder.catalog().ForEachWork(set_key.source, set_key.content, set_key.fingerprint, look);
      !read)
    return read.error();
  const bool whole = in_place.size() == rows.size() && rows.size() == static_cast<size_t>(set->size);
  if (!whole) {
    if (set->state == WorkRow::State::kIntent) {
      for (const std::string& half : in_place) ::unlink(folder.PathOf(half).c_str());
    }
    return Answer();
  }
  if (set->state == WorkRow::State::kIntent) {
    rows.emplace_back(set_key, *set);
    for (auto& [key, row] : rows) row.state = WorkRow::State::kDone;
    if (Status put = folder.catalog().PutWork(rows); !put) return put.error();
  }
  return Answer(std::move(in_place));
}

}  // namespace imgmill
