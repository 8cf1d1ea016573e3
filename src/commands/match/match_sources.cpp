// Catalogs by the folders that they are the default of.
#include "match_sources.h"

#include <unistd.h>

#include <algorithm>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "commands/embed/vector_kinds.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

std::string SearchFolder(const std::string& folder) {
  std::string path = CanonicalOrSame(folder);
  return path == "/" ? std::string() : path;
}

Result<MatchSource> OpenOther(const std::string& folder, const std::string& catalog_folder,
                              const std::string& kind, const CommandServices& services) {
  if (::access((catalog_folder + "/catalog.sqlite").c_str(), F_OK) != 0)
    return Error{
        Stage::kConfigure, Code::kUsage,
        "--in " + PrintablePath(folder) + ": it was not embedded yet: run imgmill embed on it first"};
  MatchSource source;
  std::unique_ptr<FolderLock> lock = TRY(FolderLock::Take(catalog_folder, "imgmill match"));
  std::unique_ptr<Catalog> catalog = TRY(Catalog::Open(catalog_folder));
  std::unique_ptr<VectorFile> vectors = TRY(VectorFile::Open(catalog_folder, kind, 0));
  if (!vectors) return NoVectors(catalog_folder, kind);
  const std::string root = CanonicalOrSame(EmbeddedFolder(folder));
  const std::optional<FolderIdentity> identity = root == "/" ? std::nullopt : IdentityOf(root);
  if (identity && services.shared->mode == RunMode::kRun) TRY(catalog->KnowFolder(root, *identity));
  source.store = {catalog.get(), std::move(vectors)};
  source.catalog = std::move(catalog);
  source.lock = std::move(lock);
  return source;
}

/// Imported vectors of one name may have been made by different models.
Status AreAsLong(const std::string& folder, const MatchSource& source, const std::string& other_folder,
                 const MatchSource& other) {
  const int length = source.store.file->dimension();
  const int other_length = other.store.file->dimension();
  if (length == other_length) return {};
  return UsageError("the vectors of " + PrintablePath(folder) + " have " + std::to_string(length) +
                    " numbers, and those of " + PrintablePath(other_folder) + " " +
                    std::to_string(other_length) +
                    ": they cannot be compared (search each by itself, or embed both with one model)");
}

}  // namespace

std::string EmbeddedFolder(const std::string& folder) {
  for (std::string at = CanonicalOrSame(folder);; at = ParentOf(at)) {
    const Result<std::string> catalog = DefaultCatalogFolder("", {at});
    if (!catalog) return folder;
    if (::access((*catalog + "/vectors").c_str(), F_OK) == 0) return at;
    if (at == "/" || !at.starts_with('/')) return folder;
  }
}

Result<std::vector<MatchSource>> OpenMatchSources(const std::vector<std::string>& folders,
                                                  const std::string& kind, VectorStore own,
                                                  const CommandServices& services) {
  std::vector<MatchSource> sources(1);
  const std::string& own_folder = own.catalog->folder();
  if (!own.file) return NoVectors(own_folder, kind);
  sources[0].store = std::move(own);
  const bool one = services.in_pipeline || !services.shared->catalog.empty();
  for (const std::string& folder : folders) {
    std::string catalog = own_folder;
    if (!one && folder != folders.front()) {
      std::string its = TRY(DefaultCatalogFolder("", {CanonicalOrSame(EmbeddedFolder(folder))}));
      catalog = std::move(its);
    }
    auto source = std::find_if(sources.begin(), sources.end(), [&](const MatchSource& each) {
      return each.store.catalog->folder() == catalog;
    });
    if (source == sources.end()) {
      MatchSource other = TRY(OpenOther(folder, catalog, kind, services));
      TRY(AreAsLong(folders.front(), sources.front(), folder, other));
      source = sources.insert(sources.end(), std::move(other));
    }
    source->folders.push_back(SearchFolder(folder));
    const std::string embedded = EmbeddedFolder(folder);
    if (!one && std::ranges::find(source->embedded, embedded) == source->embedded.end())
      source->embedded.push_back(embedded);
  }
  for (MatchSource& source : sources) {
    // "/" is everywhere.
    const bool everywhere = std::count(source.folders.begin(), source.folders.end(), std::string()) > 0;
    if (everywhere) source.folders.clear();
  }
  return sources;
}

}  // namespace imgmill
