// One image's whole way on a worker thread, as work that the out-of-memory ladder can start again.
#pragma once

#include "guest_tasks.h"
#include "identify.h"
#include "item_costs.h"

namespace imgmill {

/// An admitted item: it holds its lease from here to its outcome.
struct Job {
  uint64_t index = 0;
  Item item;
  bool content_known = false;
  ItemPlan plan = ItemPlan::WithoutPixels({});
  std::vector<Guest> guests;
  ItemCosts::Estimate cost;
  Lease lease;
};

class ItemWork final : public LadderWork {
 public:
  ItemWork(Operation& operation, Job& job, const Identifier& identifier, Progress& progress, Outcome& outcome)
      : operation_(operation), job_(job), identifier_(identifier), progress_(progress), outcome_(outcome) {}

  /// Digest, recall, read, map, publish. An attempt that ran out of memory leaves the digest behind, and the
  /// task where that can go on.
  Status Run(const Attempt& attempt) override;
  void LetGo() override { unfinished_.reset(); }
  BatchLabel label() const override {
    const ImageHeader& header = job_.item.main.header;
    return {operation_.name(), {1, header.height, header.width, 0}, job_.lease.footprint(), job_.cost.alone};
  }
  bool has_cpu_rung() const override { return false; }  // it is on the host already

  /// Whether the catalog knew the content after all, so that nothing was decoded.
  bool recalled() const { return recalled_; }

 private:
  Status MapItem();

  Operation& operation_;
  Job& job_;
  const Identifier& identifier_;
  Progress& progress_;
  bool recalled_ = false;
  std::unique_ptr<ItemTask> unfinished_;  ///< between attempts: what the next one goes on with
  int64_t mapped_rows_ = 0;               ///< that it has seen
  Outcome& outcome_;
};

}  // namespace imgmill
