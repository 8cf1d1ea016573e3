// A project that was copied as a whole has its input folders beside its output folder, where the original has
// them.
#include <string_view>
#include <utility>
#include <vector>

#include "base/path_parts.h"
#include "base/try.h"
#include "catalog/catalog_impl.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// Files of the original that are looked for in the copy, the smallest first: one that is there, with the
/// same bytes, tells.
constexpr int kMostLookedFor = 64;

/// What is in front of the names that both paths end with: "/a" and "/b" of "/a/x/out" and "/b/x/out".
std::pair<std::string, std::string> Tops(std::string one, std::string other) {
  while (one.size() > 1 && other.size() > 1 && NameOf(one) == NameOf(other)) {
    one = ParentOf(one);
    other = ParentOf(other);
  }
  return {std::move(one), std::move(other)};
}

}  // namespace

Status Catalog::Impl::NoteCopy(const std::string& from) {
  const int64_t fact = NameId(kCopiedFromFact, true);
  const ContentDigest none{};
  std::string folders;
  {
    Statement::Use use(find_fact);
    if (use.Integer(fact).Blob(Bytes(none)); Row(use, "find copies")) folders = use.BlobAt(0);
  }
  folders.append(from).push_back('\0');
  Statement::Use use(put_fact);
  use.Integer(fact).Blob(Bytes(none)).Blob(folders);
  return Ran(use, "note a copy");
}

bool Catalog::Impl::HasFilesOf(const std::string& copy, const std::string& original) {
  Result<Statement> files = database.Prepare(
      "SELECT path, size, content FROM files WHERE path > ?1 AND path < ?2 ORDER BY size LIMIT ?3");
  if (!files) return false;
  const std::string first = original + '/', end = original + '0';  // as in MoveRows
  Statement::Use use(*files);
  use.Blob(first).Blob(end).Integer(kMostLookedFor);
  while (Row(use, "find files")) {
    const std::string path = copy + std::string(use.BlobAt(0).substr(original.size()));
    const Result<FileStamp> stamp = StampOf(path);
    if (!stamp || stamp->size != use.IntegerAt(1)) continue;
    const Result<ContentDigest> content = DigestOf(path);
    if (content && *content == DigestFrom(use.BlobAt(2))) return true;
  }
  return false;
}

Status Catalog::Impl::KnowCopied(const std::string& copy) {
  const int64_t fact = output_folder.empty() ? 0 : NameId(kCopiedFromFact, false);
  if (fact == 0) return {};
  const ContentDigest none{};
  std::string folders;
  {
    Statement::Use use(find_fact);
    if (use.Integer(fact).Blob(Bytes(none)); Row(use, "find copies")) folders = use.BlobAt(0);
  }
  for (size_t at = 0, end = folders.find('\0'); end != std::string::npos;
       at = end + 1, end = folders.find('\0', at)) {
    const auto [theirs, ours] = Tops(folders.substr(at, end - at), output_folder);
    if (!IsAtOrBelow(copy, ours)) continue;
    const std::string original = copy == ours ? theirs : Join(theirs, copy.substr(Join(ours, "").size()));
    if (!KnowsFolder(original) || !HasFilesOf(copy, original)) continue;
    TRY(MoveSidecars(original, copy));
    return MoveRows(move_work, original, copy);
  }
  return {};
}

}  // namespace imgmill
