// What a catalog holds, and how it gets smaller: `imgmill catalog`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"

namespace imgmill {

struct CatalogFigures {
  struct Facts {
    std::string name;  ///< with its version: "phash/2 scaled with notes/3"
    uint64_t count = 0;
    uint64_t bytes = 0;
  };
  struct Vectors {
    std::string kind;
    int dimension = 0;
    uint64_t rows = 0;
    uint64_t bytes = 0;
  };
  uint64_t files = 0;
  uint64_t contents = 0;         ///< of the files, each once
  std::vector<Facts> facts;      ///< those that take most bytes first
  std::vector<Vectors> vectors;  ///< in order of kind
  uint64_t finished = 0;         ///< outputs that are known
  uint64_t bytes = 0;            ///< of the database
};

/// kUsage where the folder holds no catalog. Nothing is changed, but for a catalog of an earlier version,
/// which is brought up to date.
Result<CatalogFigures> LookAtCatalog(const std::string& folder);

struct PruneOptions {
  /// Files and folders where files may lie that were moved; the input folders that the catalog knows are
  /// looked at, too, where they are still there. Absolute.
  std::vector<std::string> look_in;
  /// Files that are gone are forgotten even if vectors were imported for them, which nobody can compute
  /// again.
  bool forget_imported = false;
  bool dry_run = false;  ///< only counts the files
};

struct PrunedCatalog {
  uint64_t files = 0;          ///< that are gone, and forgotten
  uint64_t moved = 0;          ///< that lie elsewhere now, and are known there
  uint64_t imported_kept = 0;  ///< that are gone, and stay for the vectors that were imported for them
  uint64_t facts = 0;          ///< of contents that no file has any more
  uint64_t bytes_before = 0, bytes_after = 0;  ///< of the database
};

struct CompactedVectors {
  std::string kind;
  int dimension = 0;
  uint64_t rows_before = 0, rows_after = 0;
  uint64_t bytes_before = 0, bytes_after = 0;
};

/// Writes vector files anew without the rows that no fact refers to, one after the other, each beside the old
/// one. A process that has the old one open goes on reading it. Killed at any point, each file is the old or
/// the new one, and its facts fit it: the next one to open the catalog sees to that. The caller holds the
/// folder's lock.
/// @param dry_run  only counts
/// @return kInterrupted where `stop` asked for it: files that are done stay so
Result<std::vector<CompactedVectors>> CompactCatalog(const std::string& folder, bool dry_run,
                                                     const StopFlag& stop);

/// Forgets files that are not there any more, and what is known of contents that only they had; then the
/// database is written anew without the gaps. Where files are gone, those that are not known yet are looked
/// at, by stamp, else by content where the size is that of a gone one: one that was moved is known at its new
/// place then, with all that is known of it. Finished work stays: it says whose the outputs are. The caller
/// holds the folder's lock.
/// @return kInterrupted where `stop` asked for it: nothing was forgotten then
Result<PrunedCatalog> PruneCatalog(const std::string& folder, const PruneOptions& options,
                                   const StopFlag& stop);

}  // namespace imgmill
