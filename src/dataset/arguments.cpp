// What the arguments of a listing mean together, found out once before the walk.
#include "dataset/arguments.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "dataset/image_names.h"
#include "imgmill/dataset/file_identity.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

bool HasHiddenPart(std::string_view rest) {
  return rest.starts_with('.') || rest.find("/.") != std::string_view::npos;
}

/// Whether the way from a folder to what lies below it goes into an archive: no walk does.
bool EntersArchive(const std::string& above, std::string_view rest) {
  for (size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/', slash + 1)) {
    if (IsArchive(Join(above, rest.substr(0, slash)))) return true;
  }
  return IsArchive(Join(above, rest));
}

/// Calls `look` with each folder above `canonical` and what follows it, innermost first, until it returns
/// true.
template <typename Look>
bool AnyAbove(const std::string& canonical, Look look) {
  for (size_t slash = canonical.rfind('/'); slash != std::string::npos;
       slash = canonical.rfind('/', slash - 1)) {
    const std::string above = slash == 0 ? "/" : canonical.substr(0, slash);
    if (look(above, std::string_view(canonical).substr(slash + 1))) return true;
    if (slash == 0) break;
  }
  return false;
}

/// Of a path where nothing is: a drive that is not mounted has a folder's name, and a file an extension.
bool IsNamedLikeFile(const std::string& path) {
  const std::string_view name = NameOf(path);
  return StemOf(name).size() < name.size() && IsTaken(AT_FDCWD, path, /*videos=*/true);
}

/// Where a path leads, also where nothing is there: as far as its links say, of which no more than `links`
/// are followed.
std::string WhereLeads(const std::string& path, int links = 40) {
  if (std::optional<std::string> there = Canonical(path)) return *std::move(there);
  const std::string clean = WithoutRedundancy(path);
  const std::string_view name = NameOf(clean);
  if (name.empty() || name == "." || name == "..") return clean;
  std::string entry = Join(WhereLeads(ParentOf(clean), links), name);
  std::error_code is_no_link;
  const std::string target = std::filesystem::read_symlink(entry, is_no_link).string();
  if (is_no_link || links == 0) return entry;
  return WhereLeads(target.starts_with('/') ? target : Join(ParentOf(entry), target), links - 1);
}

/// Eight digits of the path as it was given, behind a name that another argument has, too: "-1f2e3d4c".
std::string Mark(const std::string& path) {
  return "-" + DigestOfBytes(path.data(), path.size()).Hex().substr(0, 8);
}

/// Those of `all` that are `named` have names of their own then. What "a" and "../a" are stored as is the
/// same.
template <typename Named, typename MarkIt>
void TellApart(std::vector<Argument>& all, Named named, MarkIt mark) {
  std::unordered_map<std::string, int> uses;
  for (const Argument& argument : all) {
    if (named(argument)) ++uses[argument.relative];
  }
  for (Argument& argument : all) {
    if (named(argument) && uses[argument.relative] > 1) mark(argument);
  }
}

}  // namespace

std::string StoredName(std::string_view path) {
  std::string clean = WithoutRedundancy(path);
  if (clean == ".") return "";
  std::string_view kept = clean;
  if (kept.starts_with('/')) kept.remove_prefix(1);
  if (kept == ".." || kept.ends_with("/..")) return "";
  if (const size_t up = kept.rfind("/../"); up != std::string_view::npos) {
    kept.remove_prefix(up + 4);
  } else if (kept.starts_with("../")) {
    kept.remove_prefix(3);
  }
  return std::string(kept);
}

Arguments::Arguments(const std::vector<std::string>& paths, const WalkRules& rules,
                     std::vector<ListProblem>& problems)
    : rules_(rules) {
  std::vector<std::string> sorted;
  sorted.reserve(paths.size());
  for (const std::string& path : paths)
    sorted.push_back(path == "-" && HasStdinArchive() ? std::string(kStdinArchive) : WithoutRedundancy(path));
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  for (const std::string& path : sorted) {
    Argument argument;
    if (Look(path, argument, problems) && IsNew(argument)) all_.push_back(std::move(argument));
  }
  DropCovered();
  NameFolders();
  NameFiles();
  std::erase_if(all_, [](const Argument& argument) { return argument.missing; });
}

bool Arguments::IsNew(const Argument& argument) {
  return (argument.folder ? folders_ : files_).insert(argument.canonical).second;
}

bool Arguments::Look(const std::string& path, Argument& argument, std::vector<ListProblem>& problems) const {
  struct stat info {};
  argument.path = path;
  if (StatPath(path, &info) != 0) {
    const Error error = StatError(path, errno);
    if (error.code != Code::kInterrupted) problems.push_back({path, error});  // else nobody knows of it
    argument.missing = true;
    const std::string leads = WhereLeads(path);
    argument.folder = !IsNamedLikeFile(path) && !IsNamedLikeFile(leads);
    argument.canonical = argument.folder ? leads : Join(WhereLeads(ParentOf(path)), NameOf(path));
    return true;
  }
  if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode)) {
    problems.push_back({path, Error{Stage::kList, Code::kUnsupported, "it is neither a file nor a folder"}});
    return false;
  }
  const std::optional<ArchivePath> archive = AtOrIntoArchive(path);
  argument.folder = S_ISDIR(info.st_mode) || (archive && archive->inner.empty());
  argument.canonical = argument.folder || archive ? CanonicalOrSame(path) : AbsoluteEntry(path);
  return true;
}

/// Whether the walk of a folder does not go to `rest` below it, since that, or a folder on the way, is left
/// out.
bool Arguments::IsLeftOut(const std::string& above, std::string_view rest) const {
  for (size_t end = rules_.leave_out.empty() ? rest.npos : 0; end < rest.size();) {
    end = std::min(rest.find('/', end + 1), rest.size());
    if (rules_.leave_out.contains(Join(above, rest.substr(0, end)))) return true;
  }
  return false;
}

/// Whether the walk of a folder gives the file at `rest` below it.
bool Arguments::Reaches(const std::string& above, std::string_view rest) const {
  if (HasHiddenPart(rest) || IsLeftOut(above, rest) || !rules_.filter.Takes(rest) ||
      !IsTaken(AT_FDCWD, Join(above, rest), rules_.filter.videos()) || EntersArchive(above, rest))
    return false;
  for (size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/', slash + 1)) {
    if (!rules_.recursive || !rules_.filter.Enters(rest.substr(0, slash))) return false;
  }
  return true;
}

bool Arguments::ListsElsewhere(const std::string& canonical, const std::string& walked) const {
  return AnyAbove(canonical, [&](const std::string& above, std::string_view rest) {
    return above != walked && folders_.contains(above) && Reaches(above, rest);
  });
}

bool Arguments::IsExpected(const std::string& canonical) const {
  if (expected_.empty()) return false;
  return AnyAbove(canonical, [&](const std::string& above, std::string_view rest) {
    return expected_.contains(above) && Reaches(above, rest);
  });
}

void Arguments::DropCovered() {
  for (Argument& argument : all_) {
    if (!argument.folder) continue;
    argument.nested = AnyAbove(argument.canonical, [&](const std::string& above, std::string_view rest) {
      return folders_.contains(above) && rules_.recursive && !HasHiddenPart(rest) &&
             !EntersArchive(above, rest) && !IsLeftOut(above, rest);
    });
  }
  std::erase_if(all_, [this](const Argument& argument) {
    // With patterns that look at folders, the inner folder may take files that the outer one does not.
    if (argument.folder) return argument.nested && !rules_.filter.looks_at_folders();
    return ListsElsewhere(argument.canonical, "");
  });
}

void Arguments::NameFolders() {
  std::unordered_map<std::string, int> uses;
  const auto name_of = [](const Argument& argument) {
    const std::string_view name = NameOf(argument.canonical);
    const bool archive = argument.missing ? IsArchiveName(name) : IsArchive(argument.canonical);
    return std::string(archive ? StemOf(name) : name);
  };
  const auto named = [](const Argument& argument) { return argument.folder && !argument.nested; };
  for (const Argument& argument : all_) {
    if (named(argument)) ++uses[name_of(argument)];
  }
  const auto folders = std::count_if(all_.begin(), all_.end(), named);
  std::unordered_map<std::string, std::string> prefixes;
  for (Argument& argument : all_) {
    if (!named(argument)) continue;
    if (folders > 1) {
      const std::string name = name_of(argument);
      argument.relative = uses[name] == 1 ? name : StoredName(argument.path);
      if (!argument.relative.empty()) argument.relative += '/';
    }
  }
  if (folders > 1)
    TellApart(all_, named, [](Argument& argument) {
      if (!argument.relative.empty()) argument.relative.pop_back();
      argument.relative += Mark(argument.path) + "/";
    });
  for (const Argument& argument : all_) {
    if (named(argument)) prefixes[argument.canonical] = argument.relative;
  }
  for (Argument& argument : all_) {
    if (!argument.folder || !argument.nested) continue;
    // Its outputs lie where they would, had the folder around it listed them.
    AnyAbove(argument.canonical, [&](const std::string& above, std::string_view rest) {
      const auto prefix = prefixes.find(above);
      if (prefix == prefixes.end()) return false;
      argument.relative = prefix->second + std::string(rest) + "/";
      return true;
    });
  }
}

void Arguments::NameFiles() {
  std::unordered_map<std::string_view, int> uses;
  for (const Argument& argument : all_) {
    if (!argument.folder) ++uses[NameOf(argument.path)];
  }
  for (Argument& argument : all_) {
    if (argument.folder) continue;
    argument.relative =
        uses[NameOf(argument.path)] == 1 ? std::string(NameOf(argument.path)) : StoredName(argument.path);
  }
  const auto stem_of = [](const std::string& relative) {
    const std::string_view name = NameOf(relative);
    return std::string_view(relative).substr(0, relative.size() - name.size() + StemOf(name).size());
  };
  TellApart(
      all_, [](const Argument& argument) { return !argument.folder; },
      [&](Argument& argument) {
        argument.relative.insert(stem_of(argument.relative).size(), Mark(argument.path));
      });
  std::unordered_map<std::string_view, int> stems;
  for (const Argument& argument : all_) {
    if (!argument.folder) ++stems[stem_of(argument.relative)];
  }
  for (Argument& argument : all_) {
    if (argument.folder || stems[stem_of(argument.relative)] == 1) continue;
    const bool has_extension = stem_of(argument.relative) != argument.relative;
    argument.clash =
        has_extension && !stems.contains(argument.relative) ? NameClash::kStem : NameClash::kName;
  }
}

}  // namespace imgmill
