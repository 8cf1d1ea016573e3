// Operations of later steps that look on while an image is decoded for the present one: one decode serves
// them all.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "imgmill/engine/operation.h"

namespace imgmill {

/// One of them, and its plan, of whose costs it pays only its own work's.
struct Guest {
  Operation* operation = nullptr;
  ItemPlan plan;
};

/// Those of `guests` that would see the very pixels that are read of this image by `host`.
std::vector<Guest> GuestsFor(std::span<Operation* const> guests, const Item& item, const ItemPlan& host);

/// The host's task with the guests' beside it. A guest that fails leaves: its own step will meet the same
/// failure and report it.
class TaskWithGuests final : public ItemTask {
 public:
  /// Guests whose facts are known already are not bothered.
  TaskWithGuests(ItemTask& host, const std::vector<Guest>& guests, const Item& item);
  Status Map(const Region& region) override;
  /// The guests' facts go to the catalog only after the host's work is done.
  Status Finish(Outcome& outcome) override;

 private:
  ItemTask& host_;
  std::vector<std::unique_ptr<ItemTask>> guests_;
};

}  // namespace imgmill
