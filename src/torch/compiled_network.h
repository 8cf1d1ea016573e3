// A package of AOTInductor (.pt2): a network compiled ahead of time, which turns an image into a vector.
#pragma once

#include <memory>
#include <string>

#include "networks/network.h"

namespace imgmill {

/// Loads the package's machine code and tries it on one image of 3 x side x side, to learn the vectors'
/// length and what it costs. Refused: a package for another device than the CPU. @throws OutOfMemory
Result<std::unique_ptr<Network>> LoadCompiled(const std::string& path, int side);

}  // namespace imgmill
