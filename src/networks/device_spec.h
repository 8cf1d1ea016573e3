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

struct Card {
  std::string name;  ///< "cuda:0"
  size_t bytes = 0;  ///< all of its memory, 0 if it does not say
};

/// kUsage if two cards are different models, as far as can be seen: LibTorch names none of them, whoever made
/// them, so that only their memory tells them apart.
Status SameModel(const Card& a, const Card& b);

}  // namespace imgmill
