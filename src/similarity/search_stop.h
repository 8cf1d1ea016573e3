// Searches end when they are told to.
#pragma once

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"

namespace imgmill {

inline Status CheckHashStop(const StopFlag& stop) {
  if (!stop.StopRequested()) return {};
  return Error{Stage::kReduce, Code::kInterrupted, "stopped while grouping hashes"};
}

inline Status CheckVectorStop(const StopFlag& stop) {
  if (!stop.StopRequested()) return {};
  return Error{Stage::kReduce, Code::kInterrupted, "stopped while comparing vectors"};
}

}  // namespace imgmill
