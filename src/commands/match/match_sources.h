// The catalogs that match searches: the run's own, and those of further folders.
#pragma once

#include <string>
#include <vector>

#include "match_search.h"

namespace imgmill {

/// The folder whose default catalog has vectors of the images below `folder`: itself, or the nearest one
/// above that was embedded. Itself where there is none.
std::string EmbeddedFolder(const std::string& folder);

/// One source for each catalog, in order of the folders. Without folders, or where the run's catalog was
/// named by the user, that is the only one. kUsage where one has no vectors of that kind, naming those that
/// it has, or vectors of another length; kLocked while another run has it.
/// @param own  the run's own catalog; its file of such vectors may be null
Result<std::vector<MatchSource>> OpenMatchSources(const std::vector<std::string>& folders,
                                                  const Embedder& embedder, VectorStore own,
                                                  const CommandServices& services);

/// The catalogs of queries that are embedded already, one source for each: of a folder that of
/// EmbeddedFolder, or the folder itself if it is a catalog's, with all that it knows. Errors are those of
/// OpenMatchSources.
/// @param searched  where such a catalog may be open already; they outlive the result
Result<std::vector<MatchSource>> OpenQuerySources(const std::vector<std::string>& folders,
                                                  const std::string& kind,
                                                  const std::vector<MatchSource>& searched,
                                                  const CommandServices& services);

}  // namespace imgmill
