// A small file marks such a folder, so that it is known whatever catalog a run uses and wherever it is moved.
#include "dataset/set_aside.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> CanonicalEntries(const std::vector<std::string>& paths) {
  std::vector<std::string> entries;
  for (const std::string& path : paths) entries.push_back(CanonicalOrEntry(path));
  return entries;
}

/// Folders below `root`, hidden ones and links not among them; one that `takes` is not gone into.
void ForEachFolder(const std::string& root, const std::function<bool(const std::string&)>& takes) {
  std::error_code trouble;  // what cannot be read is told by the listing
  fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, trouble);
  for (; !trouble && at != fs::recursive_directory_iterator(); at.increment(trouble)) {
    std::error_code none;
    if (at->is_symlink(none) || !at->is_directory(none)) continue;
    const std::string path = at->path().string();
    if (NameOf(path).starts_with('.') || takes(path)) at.disable_recursion_pending();
  }
}

}  // namespace

Status MarkSetAside(const std::string& folder, const std::string& command) {
  TRY(MakeFolders(folder));
  const std::string mark = Join(folder, kSetAsideMark);
  if (Exists(mark)) return {};
  return WriteNewFile(mark,
                      command +
                          " has put images here. Where dedup and filter meet this folder in another one, "
                          "they do not read it;\nremove this file, or name the folder as an input, and "
                          "they do.\n");
}

bool LiesInInput(const std::string& folder, const std::vector<std::string>& paths) {
  const std::string entry = CanonicalOrEntry(folder);
  return std::ranges::any_of(CanonicalEntries(paths),
                             [&](const std::string& input) { return IsAtOrBelow(entry, input); });
}

std::vector<std::string> SetAsideFolders(const ListOptions& list) {
  std::vector<std::string> found;
  if (!list.recursive) return found;
  const std::vector<std::string> named = CanonicalEntries(list.paths);
  const std::vector<std::string> left_out = CanonicalEntries(list.leave_out);
  for (const std::string& path : list.paths) {
    ForEachFolder(WithoutRedundancy(path), [&](const std::string& folder) {
      const bool marked = Exists(Join(folder, kSetAsideMark));
      if (!marked && left_out.empty()) return false;
      const std::string canonical = CanonicalOrEntry(folder);
      if (std::ranges::find(left_out, canonical) != left_out.end()) return true;
      if (!marked ||
          std::ranges::any_of(named, [&](const auto& each) { return IsAtOrBelow(each, canonical); }))
        return false;
      found.push_back(folder);
      return true;
    });
  }
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace imgmill
