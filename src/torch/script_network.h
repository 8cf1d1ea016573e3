// A TorchScript file: a network that brings its own code, and turns an image into a vector.
#pragma once

#include <memory>
#include <string>

#include "networks/network.h"

namespace imgmill {

/// Reads the file and tries it on one image of 3 x side x side, to learn the vectors' length and what it
/// costs. @throws OutOfMemory
Result<std::unique_ptr<Network>> LoadScript(const std::string& path, int side);

}  // namespace imgmill
