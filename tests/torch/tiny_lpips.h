// An LPIPS on an AlexNet with a sixteenth of its features, with weights by a formula.
#pragma once

#include "torch/formula_weights.h"

/// @param below_zero  makes the weights of its first layer's head what they must not be
inline FormulaWeights TinyLpips(bool below_zero = false) {
  FormulaWeights weights;
  weights.AddValues({-.030F, -.088F, -.188F}, "1,3,1,1", "scaling_layer.shift");
  weights.AddValues({.458F, .448F, .450F}, "1,3,1,1", "scaling_layer.scale");
  struct Layer {
    std::string name;
    int features, side;
  };
  const Layer layers[] = {{"net.slice1.0", 4, 11},
                          {"net.slice2.3", 12, 5},
                          {"net.slice3.6", 24, 3},
                          {"net.slice4.8", 16, 3},
                          {"net.slice5.10", 16, 3}};
  int inputs = 3, number = 0;
  for (const Layer& layer : layers) {
    weights.AddConvolution(layer.name, layer.features, inputs, layer.name, layer.side);
    inputs = layer.features;
    const std::string head = "lin" + std::to_string(number++) + ".model.1.weight";
    if (below_zero && number == 1) {
      weights.AddValues(std::vector<float>(4, -1), "1,4,1,1", head);
    } else {
      weights.Add(head, {1, inputs, 1, 1}, head);
    }
  }
  return weights;
}
