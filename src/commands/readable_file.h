// A file that a flag names: whether it can be opened, asked before anything else is done.
#pragma once

#include <optional>
#include <string>

#include "imgmill/base/result.h"
#include "imgmill/commands/command.h"

namespace imgmill {

/// Nothing if it can be read; else "no.pth: the weight file cannot be opened: No such file or directory".
/// @param what  it is: "weight file"
std::optional<std::string> CheckReadable(const std::string& path, const char* what);

/// Of a step of a pipeline, whose model is loaded when its turn comes: kModelError for a file that begins as
/// no weights do, of whatever format: a folder, a text, an image. What is damaged further on, whoever loads
/// it says.
Status MayBeWeights(const CommandServices& services, const std::string& path);

}  // namespace imgmill
