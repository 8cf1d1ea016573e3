// By inode first, which the entries have; the files are asked only where two agree.
#include "dedup_links.h"

#include <sys/stat.h>

#include <algorithm>
#include <tuple>

#include "base/path_parts.h"
#include "base/same_file.h"
#include "base/try.h"
#include "dataset/link_text.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// An image of a group: the keeper, or its member of this place.
struct GroupFile {
  uint64_t inode = 0;
  size_t place = 0;  ///< 0 is the keeper
  uint32_t row = 0;
  bool is_link = false;
};

/// More than one name, as far as can be seen.
bool HasOtherNames(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && info.st_nlink > 1;
}

/// Files of one inode number: all but the first that are the same file as it are links.
Status MarkSameFiles(const DedupTable& entries, std::span<const GroupFile> files,
                     std::span<DuplicateMember> members) {
  if (files.size() < 2) return {};
  const DedupEntry first = TRY(entries.At(files[0].row));
  for (const GroupFile& file : files.subspan(1)) {
    if (file.is_link) continue;  // and told as one
    const DedupEntry other = TRY(entries.At(file.row));
    if (!IsSameFile(first.file.path, other.file.path)) continue;
    members[file.place - 1].link =
        HasOtherNames(other.file.path) ? DuplicateLink::kHard : DuplicateLink::kSameFile;
  }
  return {};
}

Status MarkGroup(const DedupTable& entries, const DuplicateGroups::Group& group,
                 std::span<DuplicateMember> members, std::vector<GroupFile>& files) {
  const DedupEntry keeper = TRY(entries.At(group.keeper));
  files = {{keeper.stamp.inode, 0, group.keeper, keeper.is_link}};
  for (size_t i = 0; i < members.size(); ++i) {
    const DedupEntry entry = TRY(entries.At(members[i].index));
    members[i].link = entry.is_link ? DuplicateLink::kSymbolic : DuplicateLink::kNone;
    files.push_back({entry.stamp.inode, i + 1, members[i].index, entry.is_link});
  }
  // Of names of one file the keeper's, then the first listed; links to it come behind them.
  std::sort(files.begin(), files.end(), [](const GroupFile& a, const GroupFile& b) {
    const auto order = [](const GroupFile& file) {
      return std::tuple(file.inode, file.place != 0, file.is_link, file.place);
    };
    return order(a) < order(b);
  });
  for (size_t first = 0; first < files.size();) {
    size_t end = first + 1;
    while (end < files.size() && files[end].inode == files[first].inode) ++end;
    TRY(MarkSameFiles(entries, std::span(files).subspan(first, end - first), members));
    first = end;
  }
  return {};
}

}  // namespace

Status MarkLinks(const DedupTable& entries, DuplicateGroups& groups) {
  std::vector<GroupFile> files;
  for (const DuplicateGroups::Group& group : groups.groups)
    TRY(MarkGroup(entries, group, std::span(groups.members).subspan(group.first, group.count), files));
  return {};
}

std::string_view ToString(DuplicateLink link) {
  switch (link) {
    case DuplicateLink::kNone:
      return "";
    case DuplicateLink::kSymbolic:
      return "symbolic link";
    case DuplicateLink::kHard:
      return "hard link";
    case DuplicateLink::kSameFile:
      return "same file";
  }
  return "";
}

LinkCounts CountLinks(const DuplicateGroups& groups) {
  LinkCounts counts;
  for (const DuplicateMember& member : groups.members) {
    if (member.link == DuplicateLink::kSymbolic) ++counts.symbolic;
    if (member.link == DuplicateLink::kHard || member.link == DuplicateLink::kSameFile) ++counts.hard;
  }
  return counts;
}

Result<LinkedPlaces> LinkedPlaces::ByKept(const DedupTable& entries, const DuplicateGroups& groups,
                                          const std::set<std::string>& left) {
  std::vector<bool> goes(entries.size());
  for (const DuplicateMember& member : groups.members) goes[member.index] = true;
  LinkedPlaces linked;
  uint64_t row = 0;
  TRY(entries.ForEach([&](const DedupEntry& entry) {
    const bool stays = !goes[row++] || left.contains(entry.file.path);
    if (stays && entry.is_link) linked.Add(entry.file.path);
    return Status();
  }));
  return linked;
}

Result<LinkedPlaces> LinkedPlaces::InGroups(const DedupTable& entries, const DuplicateGroups& groups) {
  LinkedPlaces linked;
  std::vector<std::string> links;
  TRY(entries.ForEach([&](const DedupEntry& entry) {
    if (entry.is_link) links.push_back(entry.file.path);
    return Status();
  }));
  if (links.empty()) return linked;
  std::vector<bool> grouped(entries.size());
  for (const DuplicateGroups::Group& group : groups.groups) grouped[group.keeper] = true;
  for (const DuplicateMember& member : groups.members) grouped[member.index] = true;
  std::set<std::string> places;
  uint64_t row = 0;
  TRY(entries.ForEach([&](const DedupEntry& entry) {
    if (grouped[row++]) places.insert(AbsoluteEntry(entry.file.path));
    return Status();
  }));
  for (const std::string& link : links) linked.Add(link, &places);
  return linked;
}

void LinkedPlaces::Add(const std::string& path, const std::set<std::string>* among) {
  constexpr int kMostLinks = 40;  // what the system follows
  std::string text = LinkTextOf(path);
  if (text.empty()) return;
  std::string at = AbsoluteEntry(path);
  for (int links = 0; links < kMostLinks && !text.empty(); ++links) {
    at = AbsoluteEntry(text.starts_with('/') ? text : Join(ParentOf(at), text));
    if (among == nullptr || among->contains(at)) links_by_place_[at].push_back(path);
    text = LinkTextOf(at);
  }
}

std::span<const std::string> LinkedPlaces::LinksTo(const std::string& path) const {
  if (links_by_place_.empty()) return {};
  const auto found = links_by_place_.find(AbsoluteEntry(path));
  return found == links_by_place_.end() ? std::span<const std::string>() : found->second;
}

Status LinkedPlaces::MayGo(const std::string& path) const {
  const std::span<const std::string> links = LinksTo(path);
  if (links.empty()) return {};
  return Error{Stage::kAct, Code::kConflict,
               PrintablePath(links.front()) + ", which is kept, is a symbolic link to it; it is left"};
}

}  // namespace imgmill
