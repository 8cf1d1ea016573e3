// An .onnx file: a network that ONNX Runtime runs, and that turns an image into a vector.
#pragma once

#include <memory>
#include <string>

#include "networks/network.h"

namespace imgmill {

/// Reads the file and tries it on one image of 3 x side x side, to learn the vectors' length and what it
/// costs.
/// @param side  0: what the file says, or 224 where it takes images of any size
/// @throws OutOfMemory
Result<std::unique_ptr<Network>> LoadOnnx(const std::string& path, int side);

}  // namespace imgmill
