// What reading a weight file may take, in terms of the file's size.
#pragma once

#include "fuzz/input_file.h"
#include "imgmill/memory/pool.h"

namespace fuzz {

/// Ends the program if the pools gave out more while it lived than a file of `bytes` can be worth.
class WeightsMemory {
 public:
  explicit WeightsMemory(size_t bytes) : most_(64 * bytes + (size_t{1} << 20)) {
    imgmill::HostPool().ResetPeak();
  }
  ~WeightsMemory() {
    const imgmill::PoolStats stats = imgmill::HostPool().Stats();
    Require(stats.peak_live <= most_ && stats.live == 0);
  }
  WeightsMemory(const WeightsMemory&) = delete;
  WeightsMemory& operator=(const WeightsMemory&) = delete;

 private:
  size_t most_;
};

}  // namespace fuzz
