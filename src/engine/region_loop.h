// Feeds the rows of one image to a task, region by region, each with its context.
#pragma once

#include "imgmill/base/stop_flag.h"
#include "imgmill/engine/operation.h"
#include "imgmill/engine/progress.h"

namespace imgmill {

/// Reads every row once. The window of rows (own and context) comes from the current pool.
/// @param mapped_rows  own rows of the regions that `task` was shown by an earlier call, which are not shown
///     again. Kept up to date, also where this ends with an error or an exception.
Status MapRegions(RowReader& reader, const RegionPlan& plan, ItemTask& task, Progress& progress,
                  int64_t& mapped_rows);

}  // namespace imgmill
