// Operations of later steps that look on while an image is decoded for the present one: one decode serves
// them all.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "imgmill/catalog/catalog.h"
#include "imgmill/stream/operation.h"

namespace imgmill {

/// Those of `guests` that would see the very pixels that `host` reads of this image.
std::vector<Operation*> GuestsFor(std::span<Operation* const> guests, const Operation& host,
                                  const ImageHeader& header);

/// Bytes that a guest holds beside the decode, which it does not pay for.
Footprint GuestCost(const Operation& guest, const ImageHeader& header);

/// The host's task with the guests' beside it. A guest that fails leaves: its own step will meet the same
/// failure and report it.
class TaskWithGuests final : public ItemTask {
 public:
  /// Guests whose facts are known already are not bothered.
  TaskWithGuests(ItemTask& host, const std::vector<Operation*>& guests, const Item& item,
                 const Layout& input);
  Status Map(const Region& region) override;
  /// The guests' facts go to the catalog only after the host's work is done.
  Status Finish(Outcome& outcome) override;

 private:
  ItemTask& host_;
  std::vector<std::unique_ptr<ItemTask>> guests_;
};

}  // namespace imgmill
