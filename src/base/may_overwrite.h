// What a report, a log or an export may not be written over.
#pragma once

#include <string>

#include "imgmill/base/result.h"

namespace imgmill {

/// kUsage, with the name of the flag, if `path` is a file that begins as an image does: a mistyped name must
/// not cost one. Everything else is left to whoever writes the file.
Status MayOverwrite(const std::string& flag, const std::string& path);

}  // namespace imgmill
