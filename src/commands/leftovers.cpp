#include "leftovers.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include "archive/archive_path.h"
#include "base/counted.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "foreseen_names.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

bool HasContent(const std::string& path, const ContentDigest& content) {
  const Result<ContentDigest> now = DigestOf(path);
  return now && *now == content;
}

bool LinksTo(const std::string& link, const std::string& target) {
  std::error_code none;
  const std::string leads = std::filesystem::read_symlink(link, none).string();
  if (none) return false;
  return AbsoluteEntry(leads.starts_with('/') ? leads : Join(ParentOf(link), leads)) == target;
}

/// A walk through the files below a folder. Hidden ones are none of ours, and links only where they are asked
/// for.
class FilesBelow {
 public:
  FilesBelow(std::string folder, bool links) : folder_(std::move(folder)), links_(links) {}

  /// Tells `each` of them, by their names there.
  Status ForEach(const std::function<Status(const std::string& name)>& each) { return Visit("", each); }
  /// Folders that could not be read, or not to their end: others' may lie there (lost+found), and it is not
  /// known what of ours does.
  UnreadFolders TakeUnread() { return std::move(unread_); }

 private:
  /// @param within  what names in the sub-folder begin with: "" or "sub/"
  Status Visit(const std::string& within, const std::function<Status(const std::string& name)>& each) {
    namespace fs = std::filesystem;
    const std::string path = within.empty() ? folder_ : Join(folder_, within.substr(0, within.size() - 1));
    std::error_code failed, unseen;
    fs::directory_iterator at(path, failed), end;
    if (failed == std::errc::no_such_file_or_directory) return {};
    for (; !failed && at != end; at.increment(failed)) {
      const std::string name = at->path().filename().string();
      if (name.starts_with('.')) continue;
      std::error_code vanished;
      const fs::file_status entry = at->symlink_status(vanished);
      if (vanished && vanished != std::errc::no_such_file_or_directory) unseen = vanished;
      if (fs::is_directory(entry)) {
        TRY(Visit(within + name + "/", each));
      } else if (fs::is_regular_file(entry) || (links_ && fs::is_symlink(entry))) {
        TRY(each(within + name));
      }
    }
    if (!failed) failed = unseen;
    if (failed && unread_.count++ == 0) unread_.example = PrintablePath(path) + " (" + failed.message() + ")";
    return {};
  }

  const std::string folder_;
  const bool links_;
  UnreadFolders unread_;
};

}  // namespace

std::string UnreadFolders::Warning() const {
  if (count == 0) return {};
  const std::string others = count == 1   ? ""
                             : count == 2 ? " and one more folder"
                                          : " and " + std::to_string(count - 1) + " more folders";
  return "cannot look for files of earlier runs in " + example + others +
         ": what lies there is neither told nor removed";
}

void OthersFiles::Add(const std::string& path, const std::string& made_of) {
  ++files;
  if (!example.empty() && example <= path) return;
  example = path;
  source = made_of;
}

std::string OthersFiles::Text(const std::string& folder, const std::string& output,
                              const Catalog& catalog) const {
  if (files == 0) return {};
  const bool in_output = CanonicalOrEntry(catalog.folder()) == CanonicalOrEntry(Join(output, ".imgmill"));
  return Counted(files, "file of earlier runs in", "files of earlier runs in") + " " + PrintablePath(folder) +
         (files == 1 ? " stays, such as " : " stay, such as ") + PrintablePath(example) +
         ": made of what is there, but no input of this run, such as " + PrintablePath(source) +
         ", and maybe another run's (delete what is not" +
         (in_output ? ": imgmill verify " + PrintablePath(output) +
                          " --manifest FILE lists files with their sources)"
                    : ")");
}

std::string WhyNotPrune(const ListOptions& list) {
  for (const std::string& path : list.paths) {
    if (IsGone(path)) return PrintablePath(path) + " is not there";
    std::error_code unreadable;
    if (std::filesystem::is_directory(path, unreadable) && std::filesystem::is_empty(path, unreadable))
      return PrintablePath(path) + " is empty";
    if (unreadable) return PrintablePath(path) + " cannot be read";
  }
  return {};
}

Leftovers::Leftovers(Catalog& catalog, const std::vector<std::string>& own,
                     const std::vector<std::string>& made_in)
    : catalog_(catalog) {
  for (const std::string& path : own) own_.push_back(CanonicalOrEntry(path));
  for (const std::string& path : made_in) made_in_.push_back(CanonicalOrEntry(path));
}

bool Leftovers::IsBelowOwn(const std::string& source) const {
  return std::ranges::any_of(own_, [&](const std::string& own) { return IsAtOrBelow(source, own); });
}

std::string Leftovers::OthersSource(const WorkKey& key) const {
  if (!IsBelowOwn(key.source) && !IsGone(key.source)) return key.source;
  std::set<std::string> seen;
  return OthersMadeInto(key, seen);
}

std::string Leftovers::OthersMadeInto(const WorkKey& key, std::set<std::string>& seen) const {
  if (!IsGone(key.source) || !seen.insert(key.source).second) return {};
  // Work on several files says the digest of all of them.
  const bool one = !catalog_.FindFact(key.content, kMainContentFact);
  for (const std::string& folder : made_in_) {
    const std::string inside = Join(folder, "");
    if (!key.source.starts_with(inside)) continue;
    for (const FoundWork& found : catalog_.FindOutputs(key.source.substr(inside.size()))) {
      const std::string& from = found.key.source;
      const bool made = from.starts_with('/') && !IsAction(found.key.fingerprint);
      if (!made || (one && found.row.digest != key.content)) continue;
      if (IsSpared(from) || !(IsBelowOwn(from) || IsGone(from))) return from;
      std::string further = OthersMadeInto(found.key, seen);
      if (!further.empty()) return further;
    }
  }
  return {};
}

Status Leftovers::Spare(const FailureTable& failed) {
  return failed.ForEach([this](const FailedItem& item) {
    spared_.insert(HashOfName(CanonicalOrEntry(item.path)));
    return Status();
  });
}

bool Leftovers::IsSpared(const std::string& source) const {
  if (spared_.empty()) return false;
  for (size_t end = source.size(); end != std::string::npos && end > 0; end = source.rfind('/', end - 1)) {
    if (spared_.contains(HashOfName(source.substr(0, end)))) return true;
  }
  return false;
}

void Leftovers::Await(const std::string& folder, std::vector<size_t> names) {
  awaited_in_ = Join(CanonicalOrEntry(folder), "");
  awaited_ = std::move(names);
  std::sort(awaited_.begin(), awaited_.end());
}

bool Leftovers::IsAwaited(const std::string& source) const {
  return !awaited_.empty() && source.starts_with(awaited_in_) &&
         std::binary_search(awaited_.begin(), awaited_.end(), HashOfName(source.substr(awaited_in_.size())));
}

bool Leftovers::WasMade(const std::string& source, const ContentDigest& content) const {
  const auto made_in = [&](const std::string& folder) {
    const std::string inside = Join(folder, "");
    if (!source.starts_with(inside)) return false;
    const std::vector<FoundWork> rows = catalog_.FindOutputs(source.substr(inside.size()));
    return std::ranges::any_of(rows, [&](const FoundWork& found) {
      return found.row.digest == content && !IsAction(found.key.fingerprint);
    });
  };
  return IsGone(source) && std::ranges::any_of(made_in_, made_in);
}

Leftovers::Stays Leftovers::WhyItStays(const Looked& looked, const std::vector<FoundWork>& rows) const {
  const auto is_others = [this](const std::string& source) { return others_.contains(HashOfName(source)); };
  Stays stays;
  for (const FoundWork& found : rows) {
    const std::string& from = found.key.source;
    const std::string others = is_others(from) ? from : looked.others_source(found.key);
    stays.failed =
        stays.failed || (!is_others(from) && IsSpared(from)) || (!is_others(others) && IsSpared(others));
    if (stays.others_source.empty()) stays.others_source = others;
  }
  return stays;
}

std::vector<FoundWork> Leftovers::RowsOf(const Looked& looked, const std::string& name) const {
  std::vector<FoundWork> rows = catalog_.FindOutputs(name);
  // Shards, databases and exports are made of many, and are their commands' to judge: their source is no
  // path.
  std::erase_if(rows, [&](const FoundWork& found) {
    return !found.key.source.starts_with('/') || !looked.is_of_step(found.key);
  });
  return rows;
}

Status Leftovers::Remove(const Looked& looked, const std::string& name, Pruning pruning, LeftFiles& left) {
  const std::string path = Join(looked.folder, name);
  std::vector<FoundWork> rows = RowsOf(looked, name);
  const Result<ContentDigest> digest = DigestOf(path);
  const auto as_it_was = [&](const FoundWork& found) {
    if (digest) return found.row.digest == *digest;
    // A link to what is gone has no content of its own.
    return looked.copies && LinksTo(path, found.key.source) && WasMade(found.key.source, found.row.digest);
  };
  std::set<std::string> sources;  // of which this may be, whatever the options were
  for (const FoundWork& found : rows) {
    if (as_it_was(found)) sources.insert(found.key.source);
  }
  std::erase_if(rows, [&](const FoundWork& found) { return !sources.contains(found.key.source); });
  const auto stays = [&](uint64_t& count) {
    if (left.changed + left.only == 0) left.example = path;
    ++count;
    return Status();
  };
  if (rows.empty()) return stays(left.changed);
  const auto is_elsewhere = [&](const std::string& source) {
    return !digest || HasContent(source, *digest) || WasMade(source, *digest);
  };
  if (looked.copies && std::ranges::none_of(sources, is_elsewhere)) return stays(left.only);
  if (pruning == Pruning::kRehearse) {
    ++left.removed;
    return {};
  }
  // First the rows: gone on purpose is not missing.
  std::vector<std::pair<WorkKey, WorkRow>> gone;
  for (FoundWork& found : rows) {
    found.row.state = WorkRow::State::kIntent;
    gone.emplace_back(std::move(found.key), found.row);
  }
  TRY(catalog_.PutWork(gone));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return ErrnoError(Stage::kWrite, errno, "remove " + PrintablePath(path));
  ++left.removed;
  for (std::string parent = ParentOf(path);
       parent.size() > looked.folder.size() && ::rmdir(parent.c_str()) == 0;)
    parent = ParentOf(parent);
  return {};
}

Result<LeftFiles> Leftovers::Look(const std::string& folder, std::vector<size_t> current, Pruning pruning) {
  std::sort(current.begin(), current.end());
  Looked looked;
  looked.folder = folder;
  looked.is_of_step = [](const WorkKey& key) { return !IsAction(key.fingerprint); };
  looked.is_current = [&](const std::string& name) {
    return std::binary_search(current.begin(), current.end(), HashOfName(name));
  };
  looked.is_current_work = [](const FoundWork&) { return false; };
  looked.others_source = [this](const WorkKey& key) { return OthersSource(key); };
  return Look(looked, pruning);
}

Result<LeftFiles> Leftovers::LookAtStale(const std::string& folder, const Alone& alone, Pruning pruning) {
  Looked looked;
  looked.folder = folder;
  looked.is_of_step = [&](const WorkKey& key) { return alone.is_its_work(key.fingerprint); };
  looked.is_current = alone.has_its_name;
  looked.is_current_work = [](const FoundWork&) { return false; };
  looked.others_source = [&](const WorkKey& key) {
    const bool own = alone.is_worked_on(key.source) || (IsBelowOwn(key.source) && IsGone(key.source));
    return own ? std::string() : key.source;
  };
  return Look(looked, pruning);
}

Result<LeftFiles> Leftovers::LookAtPlaced(const std::string& command, PlacedFiles placed, Pruning pruning) {
  std::sort(placed.sources.begin(), placed.sources.end());
  std::set<std::string> fingerprints;
  for (const char* action : {"copy", "hardlink", "symlink"})
    fingerprints.insert(ActionInto(command, action, placed.folder, catalog_.folder()));
  const auto is_planned = [&](const std::string& source, const std::optional<ContentDigest>& content) {
    return std::binary_search(placed.sources.begin(), placed.sources.end(),
                              PlacedFiles::HashOfSource(source, content));
  };
  Looked looked;
  looked.folder = placed.folder;
  looked.is_of_step = [&](const WorkKey& key) { return fingerprints.contains(key.fingerprint); };
  looked.is_current = [](const std::string&) { return false; };
  looked.is_current_work = [&](const FoundWork& found) {
    return is_planned(found.key.source, found.key.content) || is_planned(found.key.source, std::nullopt);
  };
  looked.others_source = [this](const WorkKey& key) { return OthersSource(key); };
  looked.copies = true;
  return Look(looked, pruning);
}

Result<LeftFiles> Leftovers::Look(const Looked& looked, Pruning pruning) {
  LeftFiles left;
  RecordTable<std::string> names;  // a folder is not changed while it is read
  FilesBelow files(looked.folder, looked.copies);
  TRY(files.ForEach([&](const std::string& name) -> Status {
    if (looked.is_current(name)) return {};
    const std::vector<FoundWork> rows = RowsOf(looked, name);
    if (rows.empty() || std::ranges::any_of(rows, looked.is_current_work)) return {};
    if (std::ranges::any_of(rows, [&](const FoundWork& found) { return IsAwaited(found.key.source); }))
      return {};
    const std::string path = Join(looked.folder, name);
    const Stays stays = WhyItStays(looked, rows);
    if (stays.failed || !stays.others_source.empty()) {
      const size_t hash = HashOfName(CanonicalOrEntry(path));
      spared_.insert(hash);  // and what later steps made of it
      if (stays.failed) return {};
      others_.insert(hash);
      left.others.Add(path, stays.others_source);
      return {};
    }
    ++left.files;
    if (left.example.empty() || path < left.example) left.example = path;
    if (pruning != Pruning::kNo) names.Add(name);
    return {};
  }));
  left.unread = files.TakeUnread();
  left.others.placed = looked.copies;
  TRY(names.ForEach([&](const std::string& name) { return Remove(looked, name, pruning, left); }));
  return left;
}

}  // namespace imgmill
