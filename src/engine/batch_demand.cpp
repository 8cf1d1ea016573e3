// Streams are as many as keep a device busy, as far as the memory allows.
#include "batch_demand.h"

#include <algorithm>

namespace imgmill {
namespace {

/// Batches in flight on a device: as many as keep it busy, as far as its own budget or the host's room
/// allows.
int StreamsFor(const BatchModel& model, const Footprint& batch, const MemoryManager& memory, int device) {
  const int wanted = std::max(1, model.Streams(device));
  if (memory.DeviceSharesHostPool(device))
    return memory.batch_sizing().InFlight({batch.total(), wanted, memory.LargestLease()});
  const int chosen = memory.batch_sizing().InFlight({batch.total(), wanted, 2 * memory.DeviceBudget(device)});
  const size_t fit = memory.DeviceBudget(device) / std::max<size_t>(1, batch.total());
  return static_cast<int>(std::clamp<size_t>(fit, 1, static_cast<size_t>(chosen)));
}

}  // namespace

BatchDemand DemandOf(const BatchCosts& costs, const BatchModel& model, const NumericsPlan& plan,
                     MemoryManager& memory, int side) {
  BatchDemand demand;
  for (int device = 0; device < memory.device_count(); ++device) {
    const Footprint batch = costs.Predict(plan.micro_batch, side, side, device);
    const int count = StreamsFor(model, batch, memory, device);
    demand.streams.push_back(count);
    demand.what += (demand.what.empty() ? "" : ", ") + std::to_string(count) + " in flight on " +
                   memory.device(device).name();
    const size_t staging = model.Cost(plan.micro_batch, side, side, WorkPlace::Device(device)).staging;
    demand.need.untracked += static_cast<size_t>(count) * staging;
    if (memory.DeviceSharesHostPool(device)) {
      for (int i = 0; i < count; ++i) demand.need = demand.need + batch;
    } else if (memory.device(device).host_backed()) {
      demand.on_devices += static_cast<size_t>(count) * batch.total();
    }
  }
  return demand;
}

std::string SmallerTile(int tile, int grid, const std::function<bool(int)>& fits) {
  constexpr int kSmallest = 32;
  if (tile <= 0) return "";
  for (int half = tile / 2; half >= kSmallest; half /= 2) {
    const int smaller = half / grid * grid;
    if (smaller >= kSmallest && fits(smaller)) return "; --tile " + std::to_string(smaller) + " fits";
  }
  return "; a smaller --tile needs less";
}

}  // namespace imgmill
