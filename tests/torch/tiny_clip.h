// A CLIP image tower of one block, in OpenCLIP's layout, with weights by a formula: small enough to be run by
// any test.
#pragma once

#include "torch/formula_weights.h"

inline constexpr int kTinyClipSide = 32;

/// @param dimension  of its vectors
inline FormulaWeights TinyClip(int dimension) {
  constexpr int kWidth = 64, kPatch = 8, kInner = 96;
  constexpr int kPositions = kTinyClipSide / kPatch * (kTinyClipSide / kPatch) + 1;
  FormulaWeights weights;
  // Factors that let the image count for more than what is the same for all.
  const auto add = [&](const std::string& name, const std::vector<int>& shape, double times = 1) {
    weights.Add("visual." + name, shape, "visual." + name, times);
  };
  const auto both = [&](const std::string& name, const std::vector<int>& shape, double times = 1) {
    add(name + "weight", shape, times);
    add(name + "bias", {shape[0]});
  };
  add("class_embedding", {kWidth}, 0.1);
  add("positional_embedding", {kPositions, kWidth}, 0.1);
  add("proj", {kWidth, dimension});
  add("conv1.weight", {kWidth, 3, kPatch, kPatch});
  const std::string block = "transformer.resblocks.0.";
  for (const std::string norm :
       {"ln_pre.", "ln_post.", "transformer.resblocks.0.ln_1.", "transformer.resblocks.0.ln_2."})
    both(norm, {kWidth}, 3);
  both(block + "attn.in_proj_", {3 * kWidth, kWidth}, 4);
  both(block + "attn.out_proj.", {kWidth, kWidth}, 4);
  both(block + "mlp.c_fc.", {kInner, kWidth}, 4);
  both(block + "mlp.c_proj.", {kWidth, kInner}, 4);
  return weights;
}
