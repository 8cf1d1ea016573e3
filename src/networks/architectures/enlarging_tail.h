// How EDSR, and what came of it, end: convolutions and pixel shuffles by two (or one by three), and one more
// convolution at the output's size.
#pragma once

#include <string>

#include "networks/graph_builder.h"

namespace imgmill {

struct EnlargingTailShape {
  int64_t features = 0;
  int64_t ups = 0;   ///< shuffles
  int64_t each = 2;  ///< what each enlarges by

  int64_t scale() const;
};

/// Read off the layers `name`.0, `name`.2 and so on; 0 shuffles where their shapes are no such thing.
EnlargingTailShape ReadEnlargingTail(const StateDict& weights, const std::string& name, int64_t features);

/// All but the last convolution.
FeatureMap AddUps(GraphBuilder& graph, const std::string& name, const EnlargingTailShape& shape,
                  const FeatureMap& features);

}  // namespace imgmill
