// The run of `dedup --method embedding`: the map phase is embed's, the entries are dedup's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "commands/embed/embed_operation.h"
#include "dedup_groups.h"
#include "dedup_verify_groups.h"
#include "imgmill/commands/embedding_options.h"

namespace imgmill {

/// What is done with all entries and their vectors, which live as long as the run. The second looker may be
/// null.
using VectorReduce = std::function<Result<CommandResult>(CommandResult, const DedupTable& entries,
                                                         const DedupVectors& vectors, SecondLooker*)>;

/// @param look  null where none is taken
std::unique_ptr<CommandRun> MakeDedupVectorRun(const EmbeddingOptions& embedding, const VectorSearch& search,
                                               const CommandServices& services, DedupPlaces places,
                                               OpenedEmbedding opened, std::unique_ptr<SecondLooker> look,
                                               VectorReduce reduce);

/// 1 - the cosine of two entries' vectors, by rows of the table, for each pose of the first: the nearest
/// first, of equal ones that which comes first in `poses`.
Result<std::vector<PosedDistance>> VectorDistances(const DedupTable& entries, const DedupVectors& vectors,
                                                   const PoseSet& poses, uint32_t a, uint32_t b);

}  // namespace imgmill
