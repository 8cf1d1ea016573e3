// A run of pack: what its operation has found becomes samples and shards.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/pack.h"
#include "pack_operation.h"

namespace imgmill {

/// PackOptions::sidecars where there are none.
inline const std::vector<std::string> kNoSidecars = {"none"};

/// Whether its files can be written: none of another's is in their place.
Status MayPack(const PackOptions& pack, const CommandServices& services);

/// What is given by reference outlives the run.
Result<std::unique_ptr<CommandRun>> BeginPack(const PackOptions& pack, PackedPairs pairs, ItemSource& given,
                                              const CommandServices& services);

}  // namespace imgmill
