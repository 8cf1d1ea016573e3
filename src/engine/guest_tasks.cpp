// Decides who may look on, and shows them each region.
#include "guest_tasks.h"

#include <algorithm>

namespace imgmill {

std::vector<Guest> GuestsFor(std::span<Operation* const> guests, const Item& item, const ItemPlan& host) {
  std::vector<Guest> invited;
  const ImageHeader& header = item.main.header;
  // What the host reads must be the image itself, and without rows that would be shown twice.
  if (guests.empty() || !host.needs_pixels || host.input != ReadLayout(header, host.reading) ||
      host.regions.overlap != 0) {
    return invited;
  }
  for (Operation* guest : guests) {
    Result<ItemPlan> plan = guest->Plan(item);
    if (plan && plan->needs_pixels && SamePixels(header, host.reading, plan->reading))
      invited.push_back({guest, *std::move(plan)});
  }
  return invited;
}

TaskWithGuests::TaskWithGuests(ItemTask& host, const std::vector<Guest>& guests, const Item& item)
    : host_(host) {
  for (const Guest& guest : guests) {
    Outcome unused;
    const Result<bool> known = guest.operation->Recall(item, unused);
    if (!known || *known) continue;
    if (Result<std::unique_ptr<ItemTask>> task = guest.operation->Start(item, guest.plan); task) {
      guests_.push_back(*std::move(task));
    }
  }
}

Status TaskWithGuests::Map(const Region& region) {
  if (Status mapped = host_.Map(region); !mapped) return mapped;
  std::erase_if(guests_, [&](const auto& guest) { return !guest->Map(region).ok(); });
  return {};
}

Status TaskWithGuests::Finish(Outcome& outcome) {
  if (Status finished = host_.Finish(outcome); !finished) return finished;
  for (const auto& guest : guests_) {
    Outcome unused;
    if (Status finished = guest->Finish(unused); !finished)
      continue;  // found missing, and made, by its own step
  }
  return {};
}

}  // namespace imgmill
