// Batches by shape and age, and the devices that may have each.
#include "tile_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace imgmill {

void TileQueue::PutBack(std::vector<WaitingTile> tiles) {
  tiles_.insert(tiles_.begin(), std::make_move_iterator(tiles.begin()), std::make_move_iterator(tiles.end()));
}

std::vector<WaitingTile> TileQueue::Take(int device, bool as_they_are, std::vector<DeviceLoad> devices) {
  auto most = static_cast<size_t>(std::max(1, plan_.micro_batch));
  if (as_they_are && memory_.DeviceSharesHostPool(device))
    most = std::min(most, Share(devices[static_cast<size_t>(device)]));
  const std::vector<Group> ready = Groups(as_they_are, most);
  std::vector<PendingGroup> groups;
  for (const Group& group : ready)
    groups.push_back({Pixels(*group.front()->job), DevicesFor(*group.front())});
  const std::vector<std::optional<int>> places = PlaceGroups(groups, std::move(devices));
  const auto own = std::find(places.begin(), places.end(), std::optional(device));
  std::vector<WaitingTile> taken;
  if (own == places.end()) return taken;
  for (const auto tile : ready[static_cast<size_t>(own - places.begin())]) {
    taken.push_back(std::move(*tile));
    tiles_.erase(tile);
  }
  return taken;
}

/// Tiles for each idle stream.
size_t TileQueue::Share(const DeviceLoad& load) const {
  const auto idle = static_cast<size_t>(std::count(load.busy_for.begin(), load.busy_for.end(), 0.0));
  const size_t among = std::max<size_t>(1, idle);
  return std::max<size_t>(1, (tiles_.size() + among - 1) / among);
}

/// Oldest first. None that is full overtakes an older one that still waits for its others.
std::vector<TileQueue::Group> TileQueue::Groups(bool as_they_are, size_t most) {
  std::vector<Group> groups;
  for (auto tile = tiles_.begin(); tile != tiles_.end(); ++tile) {
    auto open = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
      return group.size() < most && group.front()->GoesWith(*tile);
    });
    if (open == groups.end()) open = groups.emplace(groups.end());
    open->push_back(tile);
  }
  if (!as_they_are) {
    const auto full = [&](const Group& group) { return group.size() == most; };
    groups.erase(std::find_if_not(groups.begin(), groups.end(), full), groups.end());
  }
  return groups;
}

std::optional<BatchShape> TileQueue::NextShape() const {
  if (tiles_.empty()) return std::nullopt;
  return ShapeOf(*tiles_.front().job);
}

double TileQueue::Pixels(const TileJob& job) const {
  return static_cast<double>(plan_.micro_batch) * job.height * job.width;
}

/// Whether that device may work on the tile with the plan as it is.
bool TileQueue::MayTry(const WaitingTile& tile, int device) const {
  if (memory_.DeviceLost(device)) return false;
  if (std::find(tile.refused_by.begin(), tile.refused_by.end(), device) != tile.refused_by.end())
    return false;
  const TileJob& job = *tile.job;
  return memory_.DeviceSharesHostPool(device) ||
         model_.Cost(plan_.micro_batch, job.height, job.width, WorkPlace::Device(device)).bytes <=
             memory_.DeviceBudget(device);
}

/// Where there are none that could with the plan as it is, those that have to try otherwise; where none is
/// left at all, each can at least have it done by the CPU.
std::vector<bool> TileQueue::DevicesFor(const WaitingTile& tile) const {
  const int count = memory_.device_count();
  std::vector<bool> best, alive;
  for (int device = 0; device < count; ++device) {
    alive.push_back(!memory_.DeviceLost(device));
    best.push_back(MayTry(tile, device));
  }
  const auto any = [](const std::vector<bool>& some) {
    return std::find(some.begin(), some.end(), true) != some.end();
  };
  if (any(best)) return best;
  return any(alive) ? alive : std::vector<bool>(static_cast<size_t>(count), true);
}

bool TileQueue::HasOther(const WaitingTile& tile, int device, bool lost) const {
  for (int other = 0; other < memory_.device_count(); ++other) {
    if (other == device || memory_.DeviceLost(other)) continue;
    if (lost || MayTry(tile, other)) return true;
  }
  return false;
}

}  // namespace imgmill
