// Heads that judge CLIP's vectors: dense layers on a vector of length 1. Their CLIP is in a second file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "networks/network.h"
#include "networks/weights/state_dict.h"

namespace imgmill {

/// A dense layer, by what stands in front of its ".weight".
struct ClipHeadLayer {
  std::string name;
  bool relu = false;  ///< what it gives is cut off below 0
};

/// What leaves no trace in a head's tensors, and what they are called.
struct ClipHeadPlan {
  std::string kind;        ///< "aesthetic head"
  std::string signal;      ///< "aesthetic"
  std::string activation;  ///< that its CLIP was trained with: "quickgelu"
  /// In front of `mean` and `variance`, which the vector's numbers are normalised by first. Empty: they are
  /// not.
  std::string norm = {};
  std::vector<ClipHeadLayer> layers;  ///< the first one first
  bool sigmoid = false;               ///< at the end
};

/// "aesthetic head on CLIP vectors of 768"
std::string VariantOf(const ClipHeadPlan& plan, const StateDict& weights);

/// The head alone. kModelError: a tensor that is missing, left over or of another shape; more than one number
/// at the end.
Result<std::unique_ptr<Network>> LoadClipHead(const ClipHeadPlan& plan, const StateDict& weights,
                                              ModelInfo info);

/// Loads CLIP's image tower in front of a head that judges its vectors, and tries both on an image. Nothing
/// to do for a network that looks at images itself. kModelError: no file, no CLIP, or one whose vectors the
/// head does not take.
/// @param clip  its weight file
Status PutClipBefore(Network& scorer, const std::string& clip, int threads);

}  // namespace imgmill
