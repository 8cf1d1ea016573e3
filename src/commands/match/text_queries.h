// Queries in words: their vectors by the text tower of the model whose image tower made those that are
// searched.
#pragma once

#include "commands/embed/embed_operation.h"
#include "imgmill/commands/match.h"
#include "match_search.h"

namespace imgmill {

/// Adds a query for each text, in order, whose vector is in `kept`. The model is in memory only meanwhile.
/// Errors: kUsage where the model has no text tower, or one that does not fit the vectors or the vocabulary.
Status AddTextQueries(const MatchOptions& options, const CommandServices& services, VectorFile& kept,
                      MatchQueryTable& queries);

}  // namespace imgmill
