// The path that every image takes: list, probe, admit, source, compute, output; in order, within the budget.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "imgmill/base/stop_flag.h"
#include "imgmill/catalog/catalog.h"
#include "imgmill/engine/item_source.h"
#include "imgmill/engine/operation.h"
#include "imgmill/engine/progress.h"
#include "imgmill/engine/run_plan.h"
#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// How far a run goes.
enum class RunMode {
  kRun,
  /// Say what would be done, do nothing.
  kDryRun,
  /// Only find out what the run would take: nothing is concluded from the images either.
  kPlan,
};

struct EngineOptions {
  /// Images worked on at once, each on one worker thread. 0: one for each core.
  int workers = 0;
  ImageLimits limits;
  /// Compute everything again, whatever the catalog knows.
  bool force = false;
  /// But for kRun: list, probe, cost and recall, and decode nothing. Outcomes say what each image would come
  /// to, and lease. Of kPlan the operation does not see them, and the run counts as interrupted, so that no
  /// reduce follows.
  RunMode mode = RunMode::kRun;
};

/// Everything a run shares. Not owned.
struct EngineServices {
  MemoryManager* memory = nullptr;
  Catalog* catalog = nullptr;
  const StopFlag* stop = nullptr;
  Progress* progress = nullptr;
  /// Where files are noted as they are met, if not in `catalog`: for images that are only asked about.
  Catalog* notes = nullptr;
  /// One image at a time, each one's peak of resident memory noted for the report.
  bool watch_memory = false;
  /// What is found out in place of a run goes here, if there is a place.
  std::optional<RunPlan>* plan = nullptr;
  RowObserver* observer = nullptr;  ///< may be null
  /// Called with the operation's number and each of its outcomes, before its Collect.
  std::function<void(size_t operation, const Outcome& outcome)> on_outcome = nullptr;
  Catalog& Notes() const { return notes != nullptr ? *notes : *catalog; }
};

/// How a run went. listed = done + skipped + failed, unless it was interrupted.
struct RunCounts {
  uint64_t listed = 0;
  uint64_t done = 0;
  uint64_t skipped = 0;
  uint64_t failed = 0;
  IgnoredFiles ignored;   ///< files in the folders that are not images by name
  uint64_t recalled = 0;  ///< of `done`: answered by the catalog alone
  uint64_t off_plan = 0;  ///< of `done`: a rung changed tile, micro-batch or device
  bool interrupted = false;
  std::string interruption;  ///< why, in words: a signal, a full disk
};

class Engine {
 public:
  Engine(EngineOptions options, EngineServices services);

  /// Runs `operations` over all items, each over those that the one before it keeps, with one decode for all
  /// that would read an image alike. From one that judges after its reduce on, the others are not given any
  /// image: those that leave only facts note them of images that are decoded anyway. Modes other than kRun,
  /// and items with partners, are for one operation.
  /// @return the counts of each. Never throws for an image's sake; an error is one that ends the run, and an
  ///   exception of source or operation, on whatever thread, is one: what was done until then is kept. Each
  ///   operation's Collect has seen all its outcomes, in order, when this returns a value.
  Result<std::vector<RunCounts>> Run(ItemSource& source, std::span<Operation* const> operations);
  Result<RunCounts> Run(ItemSource& source, Operation& operation);

 private:
  Result<std::vector<RunCounts>> RunToItsEnd(ItemSource& source, std::span<Operation* const> operations);

  EngineOptions options_;
  EngineServices services_;
};

/// Bytes of the rows that one region of this layout holds.
Footprint RegionFootprint(const Layout& input, const RegionPlan& plan);

}  // namespace imgmill
