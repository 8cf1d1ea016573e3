// Which layers of a graph are run together, band of rows by band of rows.
#pragma once

#include <vector>

#include "networks/kernels/graph_plan.h"

namespace imgmill {

/// Stages that take turns at a few rows each, the end not included. What one of them gives and only others of
/// them read is never there whole. A stage by itself gives all of its rows at once.
struct GraphStretch {
  int first = 0;
  int end = 0;
};

/// All stages, cut where the least of maps has to be kept whole, and into stretches of at most
/// GraphPlan::most_packed weights.
std::vector<GraphStretch> StretchesOf(const GraphPlan& plan);

/// How far a pixel of the output sees, in pixels of the image; -1 where that depends on the image's size.
int RadiusOf(const GraphPlan& plan);

}  // namespace imgmill
