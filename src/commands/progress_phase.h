// What a command does over some of its images again, such as looking at them, has a count of its own in the
// progress line: added to that of the whole, it would pass the end.
#pragma once

#include <string>

#include "imgmill/engine/progress.h"

namespace imgmill {

/// Counts afresh, as "dedup, second look" where the step is "dedup", or another phase of it.
inline void BeginPhase(Progress& progress, const std::string& phase) {
  const std::string step = progress.step();
  progress.Begin(step.substr(0, step.find(", ")) + ", " + phase);
}

}  // namespace imgmill
