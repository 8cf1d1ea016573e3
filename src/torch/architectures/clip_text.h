// The text tower of CLIP, out of the file that its image tower is in.
#pragma once

#include <memory>
#include <string>

#include "imgmill/infer/model_runtime.h"

namespace imgmill {

/// Reads a state dict, and of it the text tower. Errors: those of ReadStateDict, kModelError for weights that
/// are damaged, and kUsage for a network that has no such tower, which they name.
/// @throws OutOfMemory, c10::Error
Result<std::unique_ptr<TextModel>> LoadClipText(const std::string& path, const EmbedderRequest& request);

}  // namespace imgmill
