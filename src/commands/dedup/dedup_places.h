// The folders that dedup treats in their own way: those that --keep-by prefers, and the reference.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/commands/dedup.h"
#include "imgmill/commands/steps_before.h"
#include "imgmill/dataset/listing.h"

namespace imgmill {

class KeepOrder;
struct DedupEntry;

/// Folders that images may lie in, canonical.
struct DedupPlaces {
  std::vector<std::string> folders;  ///< at most 32
  std::string reference;             ///< empty for none
  /// Inputs inside of the reference, folders and files: they are no part of it, but asked about.
  std::vector<std::string> asked;

  /// Sets what the entry has of them. A link lies where it is, not where it leads.
  /// @param absolute  the canonical path
  void Mark(const std::string& path, const std::string& absolute, DedupEntry& entry) const;
};

/// The folders that options name, as canonical paths. What a step before may make is not asked for. kUsage
/// where one is not there, and where all inputs are the reference itself.
Result<DedupPlaces> FindPlaces(const DedupOptions& options, const KeepOrder& order, const ListOptions& list,
                               const StepsBefore& before);

}  // namespace imgmill
