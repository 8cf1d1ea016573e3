// What a model's batches ask of the memory before the first one runs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "batch_costs.h"
#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// Of all batches that are in flight at once.
struct BatchDemand {
  std::vector<int> streams;  ///< batches in flight on each device
  Footprint need;            ///< in the host's memory
  size_t on_devices = 0;     ///< bytes of the host's memory that are budgets of devices
  std::string what;          ///< in words
};

/// @param side  of a tile with its overlap, pixels
BatchDemand DemandOf(const BatchCosts& costs, const BatchModel& model, const NumericsPlan& plan,
                     MemoryManager& memory, int side);

/// Advice where tiles of `tile` pixels are too large: the largest of a half, a quarter and so on that `fits`.
/// Empty where there are no tiles.
std::string SmallerTile(int tile, int grid, const std::function<bool(int)>& fits);

}  // namespace imgmill
