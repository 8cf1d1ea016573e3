// Catalogs by the folders that they are the default of.
#include "match_sources.h"

#include <unistd.h>

#include <algorithm>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "catalog/catalog_database.h"
#include "commands/embed/vector_kinds.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

std::string SearchFolder(const std::string& folder) {
  std::string path = CanonicalOrSame(folder);
  return path == "/" ? std::string() : path;
}

/// A catalog that is not the run's own.
/// @param flag       that names the folder
/// @param dimension  of vectors of that kind; 0 where it is not known
Result<MatchSource> OpenOther(const char* flag, const std::string& folder, const std::string& catalog_folder,
                              const std::string& kind, int dimension, const CommandServices& services) {
  if (!HoldsCatalog(catalog_folder))
    return Error{Stage::kConfigure, Code::kUsage,
                 std::string(flag) + " " + PrintablePath(folder) +
                     ": it was not embedded yet: run imgmill embed on it first"};
  MatchSource source;
  std::unique_ptr<FolderLock> lock = TRY(FolderLock::Take(catalog_folder, "imgmill match"));
  std::unique_ptr<Catalog> catalog = TRY(Catalog::Open(catalog_folder));
  std::unique_ptr<VectorFile> vectors = TRY(VectorFile::Open(catalog_folder, kind, 0));
  if (!vectors) return NoVectors(*catalog, kind, dimension, folder);
  const std::string root = CanonicalOrSame(EmbeddedFolder(folder));
  const std::optional<FolderIdentity> identity = root == "/" ? std::nullopt : IdentityOf(root);
  if (identity && services.shared->mode == RunMode::kRun) TRY(catalog->KnowFolder(root, *identity));
  source.store = {catalog.get(), std::move(vectors)};
  source.catalog = std::move(catalog);
  source.lock = std::move(lock);
  return source;
}

/// "/" is everywhere.
void SearchEverywhereIfSaid(MatchSource& source) {
  if (std::ranges::count(source.folders, std::string()) > 0) source.folders.clear();
}

/// Imported vectors of one name may have been made by different models.
Status AreAsLong(const std::string& kind, const std::string& folder, const MatchSource& source,
                 const std::string& other_folder, const MatchSource& other) {
  if (source.store.file->dimension() == other.store.file->dimension()) return {};
  const auto described = [](const std::string& of, const MatchSource& its) {
    return std::to_string(its.store.file->dimension()) + " in " + PrintablePath(of) + " (" +
           PrintablePath(its.store.file->path()) + ")";
  };
  return UsageError("the vectors of the kind \"" + PrintablePath(KindText(kind)) +
                    "\" have different numbers, " + described(folder, source) + " and " +
                    described(other_folder, other) +
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
                                                  const Embedder& embedder, VectorStore own,
                                                  const CommandServices& services) {
  std::vector<MatchSource> sources(1);
  const std::string& own_folder = own.catalog->folder();
  const std::string& kind = embedder.kind();
  sources[0].store = std::move(own);
  const bool one = services.in_pipeline || !services.shared->catalog.empty();
  if (!sources[0].store.file)
    return NoVectors(*sources[0].store.catalog, kind, embedder.dimension(),
                     one || folders.empty() ? std::string() : folders.front());
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
      MatchSource other =
          TRY(OpenOther("--in", folder, catalog, kind, sources[0].store.file->dimension(), services));
      TRY(AreAsLong(kind, folders.front(), sources.front(), folder, other));
      source = sources.insert(sources.end(), std::move(other));
    }
    source->folders.push_back(SearchFolder(folder));
    const std::string embedded = EmbeddedFolder(folder);
    if (!one && std::ranges::find(source->embedded, embedded) == source->embedded.end())
      source->embedded.push_back(embedded);
  }
  for (MatchSource& source : sources) SearchEverywhereIfSaid(source);
  return sources;
}

Result<std::vector<MatchSource>> OpenQuerySources(const std::vector<std::string>& folders,
                                                  const std::string& kind,
                                                  const std::vector<MatchSource>& searched,
                                                  const CommandServices& services) {
  std::vector<MatchSource> sources;
  const auto at = [](const std::vector<MatchSource>& of, const std::string& catalog) {
    return std::ranges::find_if(of, [&](const MatchSource& source) {
      return CanonicalOrSame(source.store.catalog->folder()) == CanonicalOrSame(catalog);
    });
  };
  for (const std::string& folder : folders) {
    const std::string embedded = EmbeddedFolder(folder);
    const std::string by_default = TRY(DefaultCatalogFolder("", {CanonicalOrSame(embedded)}));
    const std::string catalog = HoldsCatalog(folder) ? folder : by_default;
    auto source = sources.begin() + (at(sources, catalog) - sources.begin());
    if (source == sources.end()) {
      MatchSource opened;
      if (const auto open = at(searched, catalog); open != searched.end()) {
        // It is locked for this run already.
        std::unique_ptr<VectorFile> vectors = TRY(VectorFile::Open(catalog, kind, 0));
        opened.store = {open->store.catalog, std::move(vectors)};
      } else {
        MatchSource other = TRY(OpenOther("--queries", folder, catalog, kind,
                                          searched.front().store.file->dimension(), services));
        opened = std::move(other);
      }
      const std::string searched_path = PrintablePath(searched.front().store.catalog->folder());
      TRY(AreAsLong(kind, searched_path, searched.front(), folder, opened));
      source = sources.insert(sources.end(), std::move(opened));
    }
    source->folders.push_back(HoldsCatalog(folder) ? std::string() : SearchFolder(folder));
  }
  for (MatchSource& source : sources) SearchEverywhereIfSaid(source);
  return sources;
}

}  // namespace imgmill
