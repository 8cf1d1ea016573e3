// `tile ... --pack DIR`: a command that writes images or keeps some, and pack behind it, as a pipeline of
// these two steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "imgmill/commands/flags.h"
#include "pipeline.h"

namespace imgmill {

struct CommandRow;

/// What a command's flags ask of pack, where they do.
struct PackBehind {
  std::string output;                    ///< of --pack; empty: nothing is packed
  std::string shard_size;                ///< as pack's own flag; empty for its default
  std::optional<int64_t> shard_samples;  ///< likewise
  bool prune = false;                    ///< of commands without a --prune of their own

  /// @param what    is packed, in words
  /// @param prunes  the command has a --prune of its own
  void AddFlags(Flags& flags, const std::string& what, bool prunes);
  /// Flags that say nothing without --pack.
  std::optional<std::string> Check() const;
};

/// A pipeline of the command and of pack. It is given what the command has written, in the order of a
/// listing: so shards are those of a pack of the output folder. Of a command that writes no images it is
/// given those that are kept, where they are: so shards are those of a pack of the input without the others,
/// and its own folder is the pipeline's. Of pairs, partners go into the sample of their image. The parser
/// that the command's options are bound to outlives it.
/// @param prune  whether its --prune, or that of `pack`, was given
Result<CommandPipeline> PipelineWithPack(const CommandRow& row, std::unique_ptr<Command> command,
                                         const PackBehind& pack, bool prune);

}  // namespace imgmill
