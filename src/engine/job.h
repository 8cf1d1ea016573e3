// What the operations of a run have to do with one item, and how far they are.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "imgmill/engine/engine.h"
#include "item_costs.h"

namespace imgmill {

/// One operation's work on the item.
struct Part {
  Operation* operation = nullptr;
  std::optional<ItemPlan> plan;
  Status refused;                  ///< why there is none
  size_t reading = 0;              ///< number of the first part that reads alike: one decode serves them all
  bool asked = false;              ///< the catalog; what it knew is in `outcome`
  std::unique_ptr<ItemTask> task;  ///< that has seen all rows, and waits for its turn
  Outcome outcome;
};

/// An admitted item: it holds a lease until its last outcome.
struct Job {
  uint64_t index = 0;
  Item item;
  bool content_known = false;
  std::vector<Part> parts;  ///< in the order of the operations
  size_t next = 0;          ///< the part whose turn it is; those before have kept the item
  bool over = false;        ///< parts[next] has the last outcome
  bool cut_short = false;   ///< and that is none: the run was stopped
  /// The lease is for all parts at once; else for any one of them, and each reads for itself.
  bool together = true;
  ItemCosts::Estimate cost;  ///< what the lease is for
  Lease lease;

  Job(uint64_t number, ListedFile file, std::span<Operation* const> operations);
  Part& part() { return parts[next]; }

  /// Asks each operation how it would work on the item, and leaves out those whose turn cannot come.
  /// @param notes_facts  whether operations behind one that judges after its reduce may note facts
  void MakePlans(bool notes_facts);
  /// What all parts hold at most where they share what they read, and are watched.
  Footprint NeedTogether(const RowObserver* observer) const;
  /// The operations whose turn is still to come.
  std::vector<Operation*> OperationsLeft() const;

  /// The part has an outcome that Fail did not make: the next one is given the item, or none.
  Verdict Pass();
  /// The part has failed, and the item goes no further.
  void Fail(const Error& error);
  /// The run was stopped before the part was done: to it, the item is as one that was not begun.
  void CutShort();
  /// Of the parts that have one, in their order.
  std::vector<Outcome> TakeOutcomes();
};

}  // namespace imgmill
