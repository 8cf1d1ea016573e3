// Decides who may look on, and shows them each region.
#include "guest_tasks.h"

#include <algorithm>

namespace imgmill {

std::vector<Operation*> GuestsFor(std::span<Operation* const> guests, const Operation& host,
                                  const ImageHeader& header) {
  std::vector<Operation*> invited;
  if (guests.empty() || !host.NeedsPixels()) return invited;
  const ReadOptions reading = host.Reading(header);
  const Layout input = host.InputLayout(header);
  // What the host reads must be the image itself, and without rows that would be shown twice.
  if (input != ReadLayout(header, reading) || host.Regions(input).overlap != 0) return invited;
  for (Operation* guest : guests) {
    if (guest->NeedsPixels() && SamePixels(header, reading, guest->Reading(header))) invited.push_back(guest);
  }
  return invited;
}

Footprint GuestCost(const Operation& guest, const ImageHeader& header) {
  const Footprint whole = guest.Cost(header);
  const Footprint decode = ReadFootprint(header, guest.Reading(header));
  return {whole.pooled - std::min(whole.pooled, decode.pooled),
          whole.unseen - std::min(whole.unseen, decode.unseen)};
}

TaskWithGuests::TaskWithGuests(ItemTask& host, const std::vector<Operation*>& guests, const Item& item,
                               const Layout& input)
    : host_(host) {
  for (Operation* guest : guests) {
    Outcome unused;
    const Result<bool> known = guest->Recall(item, unused);
    if (!known || *known) continue;
    if (Result<std::unique_ptr<ItemTask>> task = guest->Start(item, input); task) {
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
