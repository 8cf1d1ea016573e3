// The user's words for devices: "auto", "cpu", "cpu:0,cpu:1", "cuda", "cuda:1", "all".
#pragma once

#include <string>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

/// What this machine has besides its CPU.
struct AcceleratorFacts {
  std::string type;  ///< "cuda", "xpu", ...; empty if LibTorch was built for none
  int count = 0;     ///< devices that can be used now
};

struct DeviceChoice {
  enum class Kind { kHost, kHostBacked, kAccelerator };
  Kind kind = Kind::kHost;
  int index = 0;  ///< of kHostBacked and kAccelerator

  bool operator==(const DeviceChoice&) const = default;
};

/// kUsage, with what there is, for an unknown word, a device that is not there, one named twice, or the CPU
/// beside an accelerator: they share no plan of numerics.
Result<std::vector<DeviceChoice>> ParseDevices(const std::string& spec, const AcceleratorFacts& facts,
                                               const std::string& library);

}  // namespace imgmill
