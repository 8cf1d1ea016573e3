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

Error NoPartner(Code code, std::string message) {
  return {Stage::kList, code, std::move(message)};
}

}  // namespace

Result<PairIndex> PairIndex::Read(const ListOptions& options) {
  std::unique_ptr<Lister> lister = TRY(Lister::Open(options));
  PairIndex index;
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
  const std::string key = KeyOf(file.relative);
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
