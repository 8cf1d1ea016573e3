// Feeds the rows of one image to a task, region by region, each with its context.
#pragma once

#include "imgmill/base/stop_flag.h"
#include "imgmill/stream/operation.h"
#include "imgmill/stream/progress.h"

namespace imgmill {

/// Reads every row once. The window of rows (own and context) comes from the current pool.
Status MapRegions(RowReader& reader, const RegionPlan& plan, ItemTask& task, Progress& progress);

}  // namespace imgmill
