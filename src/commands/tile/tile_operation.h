// The map phase of tile: bands of rows in, sets of tiles out.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "commands/dry_run_lines.h"
#include "commands/earlier_choices.h"
#include "commands/output_manifest.h"
#include "commands/stale_outputs.h"
#include "imgmill/commands/tile.h"
#include "imgmill/dataset/pair_index.h"
#include "imgmill/dataset/sidecars.h"
#include "imgmill/engine/operation.h"
#include "imgmill/engine/output_set.h"
#include "imgmill/signals/signal_set.h"
#include "tile_grid.h"
#include "tile_pairs.h"
#include "tile_rules.h"
#include "tile_side.h"

namespace imgmill {

/// Cuts each image into tiles. Pure CPU: it needs no device and no model.
class TileOperation final : public Operation {
 public:
  /// @param pairs     where partners are looked up; none without --pair
  /// @param manifest  gets a line for each tile, in the order of the listing; null in a dry run
  TileOperation(const TileOptions& options, const CommandServices& services, std::vector<PairIndex>& pairs,
                OutputManifest* manifest);

  Result<std::vector<std::string>> FindPartners(const ListedFile& file) override;
  std::vector<std::string> FindSidecars(const ListedFile& file) override;
  Result<ItemPlan> Plan(const Item& item) const override;
  Result<bool> Recall(const Item& item, Outcome& outcome) override;
  bool MayBeFinished(const Item& item) const override { return WasSetWritten(folder_, Prefixes(item.file)); }
  Result<Prospect> Rehearse(const Item& item) override;
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override;
  void Collect(Outcome& outcome) override;

  /// Tiles written or found finished; of pairs, the high-resolution ones.
  uint64_t tiles() const { return tiles_; }
  /// Images whose tiles were found finished; those that hold none are not among them.
  uint64_t finished() const { return finished_; }
  /// The files of these tiles, if a next step wants them.
  const FileTable& written() const { return written_; }
  /// Images that hold no tile, in order.
  const FileTable& too_small() const { return too_small_; }
  /// Files of earlier choices: left, or removed with --prune.
  EarlierChoices& earlier() { return earlier_; }
  /// Files of images that are gone or are called otherwise now.
  StaleOutputs& stale() { return stale_; }
  const SidecarFinder& sidecars() const { return sidecars_; }
  /// Of a dry run: the images that would be cut.
  const DryRunLines& preview() const { return preview_; }

 private:
  void TellEdited(const ListedFile& file, const std::vector<std::string>& edited) const;

  /// Of the files that these tiles would give, in bytewise order.
  std::vector<std::string> NamesOf(const Item& item, std::span<const int64_t> xs,
                                   std::span<const int64_t> ys) const;

  bool paired() const { return !pairs_.empty(); }
  /// Where the names of a file's tiles begin: one entry, or HQ and LQ.
  SetPrefixes Prefixes(const ListedFile& file) const;
  std::string_view extension() const { return Extension(options_.file.Writing().format); }
  std::string SignalsFact() const;
  std::string PartFact() const;
  std::vector<int64_t> Starts(int64_t length) const;
  ReadOptions Reading() const;
  /// Whether tiles of all of them fit each other, and where.
  Result<GroupShape> ShapeOf(const Item& item) const;
  Status CheckSidecars(const Item& item) const;
  TileCut CutOf(int scale, int helpers) const;

  const TileOptions& options_;
  EdgePolicy edge_;
  Signal by_;
  std::vector<FilterRule> rules_;
  RunMode mode_;
  bool allow_truncated_;
  bool wants_files_;
  Catalog& catalog_;
  OutputFolder folder_;
  std::vector<PairIndex>& pairs_;
  SidecarFinder sidecars_;
  OutputManifest* manifest_;
  const CommandServices& services_;
  uint64_t tiles_ = 0;
  uint64_t finished_ = 0;
  FileTable written_;
  FileTable too_small_;
  EarlierChoices earlier_;
  StaleOutputs stale_;
  DryRunLines preview_;
};

}  // namespace imgmill
