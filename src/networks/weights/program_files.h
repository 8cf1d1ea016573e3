// Files of models that bring their own program, which only LibTorch or ONNX Runtime can run.
#pragma once

#include <string>

#include "imgmill/base/result.h"

namespace imgmill {

/// Whether this is an ONNX model, by its content: a protocol buffer that begins with the version of its
/// format.
bool IsOnnx(const std::string& path);

/// Whether the file is a package of AOTInductor (.pt2), whatever it was compiled for. False for a file that
/// cannot be read.
bool IsCompiled(const std::string& path);

/// Whether it is one of these, or TorchScript. False for a file that cannot be read.
bool IsProgram(const std::string& path);

/// The kModelError of a network that is to enlarge images and is one of the first two.
Status CheckEnlarges(const std::string& path);

}  // namespace imgmill
