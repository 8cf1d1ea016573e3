// How networks end that say so in a tensor of the file (MetaUpsample): features to an image in one of eight
// ways. Their layers are numbered in the order in which they run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "networks/weights/state_dict.h"

namespace imgmill {

/// By the numbers that files use.
enum class UniUpsampleKind {
  kConv,            ///< one convolution, at the input's size
  kDirect,          ///< one convolution to the channels of all output pixels, one pixel shuffle
  kShuffle,         ///< a convolution, then one and a pixel shuffle for each doubling, one more
  kNearest,         ///< a convolution and nearest neighbours for each doubling, two more
  kDySample,        ///< a learned place for each output pixel
  kTransposed,      ///< transposed convolutions, and one more
  kLocal,           ///< attention around each output pixel
  kPixelAttention,  ///< nearest neighbours and two convolutions for each doubling, the first one weighed
};

struct UniUpsampleShape {
  UniUpsampleKind kind = UniUpsampleKind::kConv;
  int64_t scale = 1;
  int64_t in = 0, middle = 0, bands = 3;
  int64_t groups = 4;  ///< of kDySample

  /// Side of each step's enlargement; none where there is no such scale.
  std::vector<int64_t> steps() const;
};

/// Reads `name`.MetaUpsample; false where there is none, or none that this knows.
/// @param in  features
bool ReadUniUpsample(const StateDict& weights, const std::string& name, int64_t in, UniUpsampleShape& shape);

}  // namespace imgmill
