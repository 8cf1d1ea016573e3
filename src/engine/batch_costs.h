// What a batch will take on a device: the model's own forecast, corrected by what batches were seen to take.
#pragma once

#include <memory>
#include <vector>

#include "imgmill/base/stop_flag.h"
#include "imgmill/infer/model_runtime.h"
#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// One cost model for each device. Thread-safe.
class BatchCosts {
 public:
  BatchCosts(BatchModel& model, const NumericsPlan& plan, MemoryManager& memory);

  /// Where a device's costs are neither exact nor known from earlier runs: two small batches of grey, so that
  /// the first real one is predicted. Errors are the model's; memory that is refused is none, as the ladder
  /// will meet it again.
  Status Probe(int largest_tile, const StopFlag& stop);

  /// Bytes at the peak of a batch of n images, beside their input and output.
  Footprint Predict(int n, int height, int width, int device) const;
  /// Whether a batch of that shape would teach nothing: it is exact, or was seen.
  bool Knows(const BatchShape& shape, int device) const;
  /// A batch was done as planned, and took so much.
  void Learn(const BatchShape& shape, int device, const LadderOutcome& outcome);

 private:
  bool Learns(int device) const;

  BatchModel& model_;
  const NumericsPlan plan_;
  MemoryManager& memory_;
  std::vector<std::shared_ptr<CostModel>> costs_;  ///< by device
};

}  // namespace imgmill
