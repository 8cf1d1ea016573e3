// The ends of a network that says in its file how it enlarges (networks/uni_upsample_shape.h), as layers of a
// graph.
#pragma once

#include <string>

#include "networks/graph_builder.h"
#include "networks/uni_upsample_shape.h"

namespace imgmill {

/// A kModelError that says which end it is where no graph has it.
/// @param network  "a MoESR"
Status CheckUniEnlarging(const std::string& network, const UniUpsampleShape& shape);

/// Features to an image of `shape.bands`. CheckUniEnlarging has found nothing wrong.
GraphOutput AddUniEnlarging(GraphBuilder& graph, const std::string& name, const UniUpsampleShape& shape,
                            const FeatureMap& features);

}  // namespace imgmill
