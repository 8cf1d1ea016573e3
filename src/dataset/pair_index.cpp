// A sorted list of keys on the disk; looked up by halving.
#include "imgmill/dataset/pair_index.h"

#include <algorithm>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "dataset/sorted_paths.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

std::string KeyOf(const std::string& relative) {
  const std::string_view name = NameOf(relative);
  const size_t folder = relative.size() - name.size();
  return relative.substr(0, folder) + std::string(StemOf(name));
}

/// Between a key and a path: neither holds it, so that all entries of a key stand together.
constexpr std::string_view kBetween = "//";

std::string PathOf(std::string_view entry) {
  return std::string(entry.substr(entry.find(kBetween) + kBetween.size()));
}

constexpr std::string_view kShared = "{name}";

Error NoPartner(Code code, std::string message) {
  return {Stage::kList, code, std::move(message)};
}

}  // namespace

Result<NamePattern> NamePattern::Parse(std::string_view text) {
  const size_t at = text.find(kShared);
  const bool once = at != std::string_view::npos && text.find(kShared, at + 1) == std::string_view::npos;
  if (!once || text.find('/') != std::string_view::npos) {
    return UsageError("takes a name without extension that holds {name} once, such as {name}_x4, not \"" +
                      PrintablePath(text) + "\"");
  }
  NamePattern pattern;
  pattern.before_ = text.substr(0, at);
  pattern.after_ = text.substr(at + kShared.size());
  return pattern;
}

std::optional<std::string> NamePattern::Shared(std::string_view stem) const {
  if (stem.size() <= before_.size() + after_.size() || !stem.starts_with(before_) || !stem.ends_with(after_))
    return std::nullopt;
  stem.remove_prefix(before_.size());
  stem.remove_suffix(after_.size());
  return std::string(stem);
}

Result<PairIndex> PairIndex::Read(const ListOptions& options, PairNames names) {
  std::unique_ptr<Lister> lister = TRY(Lister::Open(options));
  PairIndex index;
  index.names_ = std::move(names);
  index.folder_ = options.paths.empty() ? std::string() : options.paths.front();
  index.around_ = CanonicalOrSame(ParentOf(CanonicalOrSame(index.folder_)));
  SortedPaths sorted;
  while (const std::optional<ListedFile> file = lister->Next()) {
    std::string key = KeyOf(file->relative);
    if (!index.names_.partner.Shared(NameOf(key))) {
      ++index.left_aside_;
      continue;
    }
    TRY(sorted.Add(key.append(kBetween) += file->path));
  }
  if (options.stop != nullptr && options.stop->StopRequested())
    return Error{Stage::kList, Code::kInterrupted,
                 "stopped while the partners were listed; nothing was done"};
  index.problems_ = lister->problems();
  TRY(sorted.Finish());
  index.entries_ = std::make_shared<RecordFile>();
  while (true) {
    const std::optional<std::string> entry = TRY(sorted.Next());
    if (!entry) break;
    index.entries_->Add(*entry);
  }
  index.taken_.resize(index.entries_->size());
  return index;
}

bool PairIndex::LiesBeside(const ListedFile& file) {
  if (file.relative.find('/') == std::string::npos) return false;
  if (const std::string folder = ParentOf(file.path); folder != last_folder_) {
    last_folder_ = folder;
    last_canonical_ = CanonicalOrSame(folder);
  }
  return Join(last_canonical_, NameOf(file.path)) == Join(around_, file.relative);
}

Result<std::vector<std::string>> PairIndex::FindBeside(const ListedFile& file, const std::string& key) {
  if (!LiesBeside(file)) return std::vector<std::string>();
  const size_t slash = key.find('/');
  std::vector<std::string> found = TRY(TakeAll(key.substr(slash + 1)));
  if (found.empty()) return found;
  const std::string own_folder = key.substr(0, slash);
  if (own_folder_.empty()) own_folder_ = own_folder;
  if (own_folder_ == own_folder) return found;
  return NoPartner(Code::kConflict, "an image of " + PrintablePath(Join(around_, own_folder_)) +
                                        " has a partner in the same folder, so it is unclear whose partner " +
                                        PrintablePath(found[0]) + " is (name the folder of one of them)");
}

Result<std::string> PairIndex::Take(const ListedFile& file) {
  const std::string own = KeyOf(file.relative);
  const std::string_view stem = NameOf(own);
  const std::optional<std::string> shared = names_.own.Shared(stem);
  if (!shared) {
    return NoPartner(Code::kNotFound, "its name is not made as " + names_.own.Text() +
                                          " says, so it is unclear what its partner is called");
  }
  const std::string key = own.substr(0, own.size() - stem.size()) + names_.partner.With(*shared);
  std::vector<std::string> found = TRY(FindBeside(file, key));
  if (found.empty()) found = TRY(TakeAll(key));
  if (found.empty()) {
    return NoPartner(Code::kNotFound, "it has no partner " + PrintablePath(Join(folder_, key)) + ".*");
  }
  if (found.size() > 1) {
    return NoPartner(Code::kConflict, "it has several possible partners, " + PrintablePath(found[0]) +
                                          " and " + PrintablePath(found[1]) + " (keep one)");
  }
  if (file.clash != NameClash::kNone) {
    return NoPartner(
        Code::kConflict,
        "another image next to it differs only in the extension, so it is unclear whose partner " +
            PrintablePath(found[0]) + " is (keep one)");
  }
  return found[0];
}

Result<std::vector<std::string>> PairIndex::TakeAll(const std::string& key) {
  const std::string wanted = key + std::string(kBetween);
  size_t row = 0;
  for (size_t end = taken_.size(); row < end;) {
    const size_t middle = row + (end - row) / 2;
    const std::string entry = TRY(entries_->At(middle));
    if (entry < wanted) {
      row = middle + 1;
    } else {
      end = middle;
    }
  }
  std::vector<std::string> found;
  for (; row < taken_.size(); ++row) {
    const std::string entry = TRY(entries_->At(row));
    if (!entry.starts_with(wanted)) break;
    taken_[row] = true;  // told with this file, whatever comes of it
    if (found.size() < 2) found.push_back(PathOf(entry));
  }
  return found;
}

void PairIndex::AddUnpaired(std::vector<ListProblem>& problems) const {
  problems.insert(problems.end(), problems_.begin(), problems_.end());
  const auto first = static_cast<std::ptrdiff_t>(problems.size());
  RecordFile::Reader reader(*entries_);
  for (const bool taken : taken_) {
    std::string_view entry;
    if (const Result<bool> more = reader.Next(entry); !more)
      return problems.push_back({folder_, more.error()});
    if (!taken)
      problems.push_back({PathOf(entry), NoPartner(Code::kNotFound, "no listed image is its partner")});
  }
  std::sort(problems.begin() + first, problems.end(),
            [](const ListProblem& a, const ListProblem& b) { return a.path < b.path; });
}

}  // namespace imgmill
