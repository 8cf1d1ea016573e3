// A sorted list of keys; looked up by halving.
#include "imgmill/dataset/pair_index.h"

#include <algorithm>

#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

std::string KeyOf(const std::string& relative) {
  const std::string_view name = NameOf(relative);
  const size_t folder = relative.size() - name.size();
  return relative.substr(0, folder) + std::string(StemOf(name));
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
    return Error{Stage::kConfigure, Code::kUsage,
                 "takes a name without extension that holds {name} once, such as {name}_x4, not \"" +
                     PrintablePath(text) + "\""};
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
  while (std::optional<ListedFile> file = lister->Next()) {
    index.entries_.push_back({KeyOf(file->relative), std::move(file->path), false});
  }
  index.problems_ = lister->problems();
  // The listing's order is another one: "a-b" stands before "a.png" there, and "a" before "a-b" here.
  std::sort(index.entries_.begin(), index.entries_.end(),
            [](const Entry& a, const Entry& b) { return a.key != b.key ? a.key < b.key : a.path < b.path; });
  return index;
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
  const auto before = [](const Entry& entry, const std::string& wanted) { return entry.key < wanted; };
  const auto first = std::lower_bound(entries_.begin(), entries_.end(), key, before);
  auto last = first;
  while (last != entries_.end() && last->key == key) {
    last->taken = true;  // told with this file, whatever comes of it
    ++last;
  }
  if (first == last) {
    return NoPartner(Code::kNotFound, "it has no partner " + PrintablePath(Join(folder_, key)) + ".*");
  }
  if (last - first > 1) {
    return NoPartner(Code::kConflict, "it has several possible partners, " + PrintablePath(first->path) +
                                          " and " + PrintablePath((first + 1)->path) + " (keep one)");
  }
  if (file.clash != NameClash::kNone) {
    return NoPartner(
        Code::kConflict,
        "another image next to it differs only in the extension, so it is unclear whose partner " +
            PrintablePath(first->path) + " is (keep one)");
  }
  return first->path;
}

std::vector<ListProblem> PairIndex::Unpaired() const {
  std::vector<ListProblem> unpaired = problems_;
  std::vector<const Entry*> left;
  for (const Entry& entry : entries_) {
    if (!entry.taken) left.push_back(&entry);
  }
  std::sort(left.begin(), left.end(), [](const Entry* a, const Entry* b) { return a->path < b->path; });
  for (const Entry* entry : left) {
    unpaired.push_back({entry->path, NoPartner(Code::kNotFound, "no listed image is its partner")});
  }
  return unpaired;
}

}  // namespace imgmill
