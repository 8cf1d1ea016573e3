// Reads the file behind --files-from, and drops what it names twice.
#include "dataset/path_list.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <unordered_map>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/stoppable_read.h"
#include "base/try.h"
#include "dataset/image_names.h"
#include "dataset/listed_paths.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// Asked of the file system only where the name does not tell: a list may be long.
bool IsFolder(const std::string& path) {
  const std::string_view name = NameOf(path);
  if (StemOf(name).size() < name.size() && IsTaken(AT_FDCWD, path, /*videos=*/true)) return false;
  struct stat info {};
  return StatPath(path, &info) == 0 && (S_ISDIR(info.st_mode) || IsArchive(path));
}

/// Drops what names the same entry of the same folder again, by another way: "a/1.jpg", "/home/me/a/1.jpg",
/// and "link/1.jpg" where the link leads to a.
class OncePerPlace {
 public:
  Status Add(const std::string& path) {
    // Canonical paths hold no two slashes in a row, so that these end them.
    const std::string place =
        NameOf(path).empty() ? "/." : Join(CanonicalFolder(ParentOf(path)), NameOf(path));
    return by_place_.Add(place + "//" + path);
  }

  /// Of each place, the shortest spelling, and of these the first in bytewise order.
  Status MoveTo(SortedPaths& sorted, const std::function<void(const std::string& path)>& folder) {
    TRY(by_place_.Finish());
    const auto add = [&](const std::string& path) {
      if (IsFolder(path)) folder(path);
      return sorted.Add(path);
    };
    std::string place, spelling;
    while (std::optional<std::string> next = TRY(by_place_.Next())) {
      const size_t end = next->find("//");
      const bool again = next->compare(0, end, place) == 0;
      if (again && next->size() - end - 2 >= spelling.size()) continue;
      if (!again && !place.empty()) TRY(add(spelling));
      place = next->substr(0, end);
      spelling = next->substr(end + 2);
    }
    if (!place.empty()) TRY(add(spelling));
    return {};
  }

 private:
  static constexpr size_t kMostFolders = 1024;  ///< that are remembered

  const std::string& CanonicalFolder(const std::string& folder) {
    if (const auto known = folders_.find(folder); known != folders_.end()) return known->second;
    if (folders_.size() == kMostFolders) folders_.clear();
    return folders_[folder] = CanonicalOrSame(folder);
  }

  SortedPaths by_place_{SortedPaths::kRunBytes / 2};
  std::unordered_map<std::string, std::string> folders_;  ///< as spelled, to canonical
};

constexpr size_t kLongestEntry = size_t{64} << 10;  ///< sixteen of the longest paths that a system takes

}  // namespace

Result<std::string_view> ListedPaths::Path(std::string_view line, const std::string& named) {
  if (first_) {
    first_ = false;
    if (line.starts_with("\xFF\xFE") || line.starts_with("\xFE\xFF")) {
      return Error{Stage::kList, Code::kReadError, named + " is in UTF-16 (save it as UTF-8)"};
    }
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    if (line.starts_with(kMark)) line.remove_prefix(kMark.size());
    windows_ = lines_ && line.ends_with('\r');
  }
  if (windows_ && line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Status ReadPathList(const ListOptions& options, SortedPaths& sorted,
                    const std::function<void(const std::string& path)>& folder) {
  const bool is_stdin = options.files_from == "-";
  const std::string named =
      is_stdin ? "the list from stdin" : "the list " + PrintablePath(options.files_from);
  // A pipe is not waited for in open, where nobody could stop us.
  const UniqueFd file(is_stdin ? ::dup(STDIN_FILENO)
                               : ::open(options.files_from.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) {
    Error error = ErrnoError(Stage::kList, errno, named + " cannot be opened");
    if (error.code == Code::kNotFound) error.code = Code::kUsage;  // as of other files that are named
    return error;
  }
  if (struct stat info{}; ::fstat(file.get(), &info) == 0 && S_ISDIR(info.st_mode))
    return Error{Stage::kList, Code::kUsage, named + " is a folder (name it without --files-from)"};
  const char separator = options.nul_separated ? '\0' : '\n';
  std::string pending;
  std::string piece(size_t{64} << 10, '\0');
  ListedPaths paths(/*lines=*/!options.nul_separated);
  OncePerPlace once;
  const auto add = [&](std::string_view text) -> Status {
    const std::string_view found = TRY(paths.Path(text, named));
    const std::string_view path = found;
    if (path.empty()) return {};
    if (path.find('\0') != std::string_view::npos) {
      return Error{Stage::kList, Code::kUsage,
                   named + " holds a NUL byte (use -0 for what `find -print0` writes)"};
    }
    return once.Add(WithoutRedundancy(path));
  };
  while (true) {
    const size_t got = TRY(ReadUnlessStopped(file.get(), piece.data(), piece.size(), options.stop, named));
    std::string_view rest(piece.data(), got);
    for (size_t end = rest.find(separator); end != std::string_view::npos; end = rest.find(separator)) {
      pending += rest.substr(0, end);
      TRY(add(pending));
      pending.clear();
      rest.remove_prefix(end + 1);
    }
    pending += rest;
    if (got == 0) break;
    if (pending.size() > kLongestEntry)
      return Error{Stage::kList, Code::kUsage,
                   named + " holds an entry of more than " + std::to_string(kLongestEntry) +
                       " bytes (it should have paths, " +
                       (options.nul_separated ? "each with a NUL byte behind it" : "a line each") + ")"};
  }
  TRY(add(pending));
  TRY(once.MoveTo(sorted, folder));
  return sorted.Finish();
}

}  // namespace imgmill
