// Makes the devices that the user named.
#include "networks/device_slots.h"

#include <algorithm>
#include <cstdint>

#include "base/try.h"

namespace imgmill {

DeviceSlots::DeviceSlots(int threads) : threads_(threads) {
  auto host = std::make_shared<DeviceSlot>();
  host->pool = &HostPool();
  host->team = std::make_shared<WorkerTeam>(threads);
  slots_.push_back(host);
}

Result<int> DeviceSlots::Add(MemoryManager& manager, const std::vector<DeviceChoice>& choices, size_t budget,
                             const MakeAccelerator& accelerator) {
  const auto on_host = [](const DeviceChoice& choice) {
    return choice.kind != DeviceChoice::Kind::kAccelerator;
  };
  const int sharers = static_cast<int>(std::count_if(choices.begin(), choices.end(), on_host));
  int sharer = 0;
  Card first_card;
  // The cores are shared out; what is left over goes to the first ones.
  const auto next_team = [&] {
    const int threads = threads_ / sharers + (sharer++ < threads_ % sharers ? 1 : 0);
    return sharers == 1 ? All().front()->team : std::make_shared<WorkerTeam>(std::max(1, threads));
  };
  for (const DeviceChoice& choice : choices) {
    auto slot = std::make_shared<DeviceSlot>();
    std::unique_ptr<Device> device;
    // The plain cpu works out of the host's budget; asked to keep to one of its own, it is cpu:0.
    const bool own_budget = choice.kind == DeviceChoice::Kind::kHost && budget > 0;
    switch (own_budget ? DeviceChoice::Kind::kHostBacked : choice.kind) {
      case DeviceChoice::Kind::kHost:
        slot->pool = &HostPool();
        slot->team = next_team();
        device = MakeHostDevice("cpu");
        break;
      case DeviceChoice::Kind::kHostBacked:
        // Without a budget the manager shares the host's out among these.
        device = std::make_unique<HostBackedDevice>("cpu:" + std::to_string(choice.index),
                                                    budget > 0 ? budget : SIZE_MAX);
        slot->pool = device->pool();
        slot->team = next_team();
        break;
      case DeviceChoice::Kind::kAccelerator:
        slot->accelerator = choice.index;
        device = accelerator(choice.index);
        break;
    }
    const int index = manager.AddDevice(std::move(device), budget);
    slot->place = WorkPlace::Device(index);
    if (choice.kind == DeviceChoice::Kind::kAccelerator) {
      const Device& added = manager.device(index);
      const Card card = {added.name(), added.Stats().total};
      if (first_card.bytes == 0) first_card = card;
      TRY(SameModel(first_card, card));
    }
    Keep(std::move(slot));
  }
  return static_cast<int>(choices.size());
}

void DeviceSlots::TakeOver(const std::vector<HostDevice>& devices) {
  for (const HostDevice& device : devices) {
    auto slot = std::make_shared<DeviceSlot>();
    slot->place = device.place;
    slot->pool = device.pool;
    slot->team =
        device.threads == threads_ ? All().front()->team : std::make_shared<WorkerTeam>(device.threads);
    Keep(std::move(slot));
  }
}

void DeviceSlots::Keep(std::shared_ptr<const DeviceSlot> slot) {
  const std::lock_guard lock(mutex_);
  slots_.push_back(std::move(slot));
}

std::vector<std::shared_ptr<const DeviceSlot>> DeviceSlots::All() const {
  const std::lock_guard lock(mutex_);
  return slots_;
}

std::vector<HostDevice> DeviceSlots::OnHost() const {
  std::vector<HostDevice> devices;
  for (const std::shared_ptr<const DeviceSlot>& slot : All()) {
    if (slot->place != kCpuRung) devices.push_back({slot->place, slot->pool, slot->team->threads()});
  }
  return devices;
}

}  // namespace imgmill
