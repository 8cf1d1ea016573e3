// Feeds the frames of one item to a task, each region by region; a frame that cannot be read does not end it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imgmill/base/stop_flag.h"
#include "imgmill/engine/operation.h"
#include "imgmill/engine/progress.h"

namespace imgmill {

/// What a user should know when all frames were seen.
struct FramesSeen {
  std::optional<Error> lost;  ///< of frames that could not be read, each named
  std::vector<std::string> notes;
};

/// @return an error if no frame could be read, or the fault is not a frame's own: the disk's, for example; or
///     if `stop` was requested and the task publishes as it goes
Result<FramesSeen> MapFrames(FrameSource& frames, const ItemPlan& plan, ItemTask& task, Progress& progress,
                             const StopFlag& stop);

}  // namespace imgmill
