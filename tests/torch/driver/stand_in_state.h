// What the driver that stands in for NVIDIA's says and has been asked.
#pragma once

#include <cstddef>

struct StandInDriver {
  int cards = 1;
  size_t total = 0;
  size_t neighbours = 0;  ///< bytes that other processes hold
  size_t context = 0;     ///< bytes of a context
  bool tells_processes = true;
  int contexts = 0;  ///< that are retained now
  int inits = 0;     ///< of NVML, not shut down
  size_t held() const { return contexts > 0 ? context : 0; }
};

/// Exported by the stand-in.
using StandInDriverFn = StandInDriver* (*)();
inline constexpr char kStandInDriver[] = "stand_in_driver";
