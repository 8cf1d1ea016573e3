// Reads a folder's names into one byte array and sorts the offsets.
#include "dataset/folder_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "base/path_parts.h"
#include "base/try.h"
#include "dataset/image_names.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// d_type, or lstat's word where the file system leaves d_type open.
unsigned char KindOf(int folder_fd, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type;
  struct stat info {};
  if (::fstatat(folder_fd, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
    return DT_REG;  // opening it will tell why
  return static_cast<unsigned char>(IFTODT(info.st_mode));
}

}  // namespace

Result<FolderNames> FolderNames::Read(const std::string& folder, std::string_view relative,
                                      const PathFilter& filter) {
  const std::optional<ArchivePath> archive = AtOrIntoArchive(folder);
  FolderNames names =
      TRY(archive ? ReadArchive(*archive, relative, filter) : ReadFolder(folder, relative, filter));
  names.Sort();
  return names;
}

Result<FolderNames> FolderNames::ReadFolder(const std::string& folder, std::string_view relative,
                                            const PathFilter& filter) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(folder.c_str()), &::closedir);
  if (!stream) return ErrnoError(Stage::kList, errno, "open folder");
  FolderNames names;
  std::string path(relative);
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return ErrnoError(Stage::kList, errno, "read folder");
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name.starts_with('.')) continue;
    const unsigned char kind = KindOf(::dirfd(stream.get()), *entry);
    path.resize(relative.size());
    path += name;
    if (kind == DT_DIR) {
      if (!filter.Enters(path)) continue;
    } else if (kind != DT_REG && kind != DT_LNK) {
      names.ignored_.Add();
      continue;
    } else if (!IsTaken(::dirfd(stream.get()), entry->d_name, filter.videos())) {
      names.Ignore(Join(folder, name), filter.Takes(path));
      continue;
    } else if (!filter.Takes(path)) {
      continue;
    }
    TRY(names.Add(name, kind == DT_DIR, kind == DT_LNK));
  }
  return names;
}

Result<FolderNames> FolderNames::ReadArchive(const ArchivePath& at, std::string_view relative,
                                             const PathFilter& filter) {
  const std::shared_ptr<const TarIndex> index = TRY(OpenArchive(at.archive));
  FolderNames names;
  const std::string prefix = at.inner.empty() ? "" : at.inner + "/";
  std::string path(relative);
  std::string_view folder_before;
  for (size_t i = index->From(prefix); i < index->size(); ++i) {
    std::string_view name = (*index)[i].name;
    if (!name.starts_with(prefix)) break;
    name.remove_prefix(prefix.size());
    const size_t slash = name.find('/');
    const bool folder = slash != std::string_view::npos;
    name = name.substr(0, slash);
    if (name.starts_with('.') || (folder && name == folder_before)) continue;
    path.resize(relative.size());
    path += name;
    if (folder) {
      folder_before = name;
      if (!filter.Enters(path)) continue;
    } else if (!IsTaken(AT_FDCWD, Join(at.archive, (*index)[i].name), filter.videos())) {
      names.Ignore(Join(at.archive, (*index)[i].name), filter.Takes(path));
      continue;
    } else if (!filter.Takes(path)) {
      continue;
    }
    TRY(names.Add(name, folder, /*link=*/false));
  }
  return names;
}

void FolderNames::Ignore(const std::string& path, bool wanted) {
  wanted ? ignored_.AddByName(path) : ignored_.Add();
}

Status FolderNames::Add(std::string_view name, bool folder, bool link) {
  if (bytes_.size() > std::numeric_limits<uint32_t>::max() - 3 - name.size()) {
    return Error{Stage::kList, Code::kLimitExceeded, "more than 4 GiB of names in one folder (split it)"};
  }
  starts_.push_back(static_cast<uint32_t>(bytes_.size()));
  bytes_ += name;
  if (folder) bytes_ += '/';
  bytes_ += '\0';
  bytes_ += link ? 'l' : 'f';
  return {};
}

void FolderNames::Sort() {
  std::sort(starts_.begin(), starts_.end(), [&bytes = bytes_](uint32_t a, uint32_t b) {
    return std::string_view(bytes.data() + a) < std::string_view(bytes.data() + b);
  });
}

std::string_view FolderNames::Text(size_t index) const {
  return bytes_.data() + starts_[index];
}

FolderNames::Entry FolderNames::operator[](size_t index) const {
  std::string_view text = Text(index);
  const bool folder = text.ends_with('/');
  if (folder) text.remove_suffix(1);
  return {text, folder, text.data()[text.size() + (folder ? 2 : 1)] == 'l'};
}

size_t FolderNames::From(std::string_view text) const {
  const auto at =
      std::lower_bound(starts_.begin(), starts_.end(), text, [this](uint32_t start, std::string_view value) {
        return std::string_view(bytes_.data() + start) < value;
      });
  return static_cast<size_t>(at - starts_.begin());
}

bool FolderNames::HasCalled(std::string_view base, std::string_view other_than) const {
  const size_t at = From(base);
  return (at < size() && Text(at) == base && base != other_than) || HasFileWithStem(base, other_than);
}

bool FolderNames::HasFileWithStem(std::string_view stem, std::string_view other_than) const {
  // The stem itself, as a name without an extension, and the run of names that go on with a dot.
  if (const size_t at = From(stem);
      at < size() && Text(at) == stem && stem != other_than && StemOf(stem) == stem) {
    return true;
  }
  const std::string dotted = std::string(stem) + ".";
  for (size_t at = From(dotted); at < size() && Text(at).starts_with(dotted); ++at) {
    const Entry entry = (*this)[at];
    if (!entry.folder && entry.name != other_than && StemOf(entry.name) == stem) return true;
  }
  return false;
}

NameClash FolderNames::ClashOf(std::string_view name) const {
  const std::string_view stem = StemOf(name);
  if (!HasFileWithStem(stem, name)) return NameClash::kNone;
  const bool has_extension = stem.size() < name.size();
  return has_extension && !HasFileWithStem(name, name) ? NameClash::kStem : NameClash::kName;
}

}  // namespace imgmill
