// Files that a user has named for results, looked at before the work.
#pragma once

#include <string>

#include "imgmill/base/error.h"
#include "imgmill/base/result.h"

namespace imgmill {

/// Whether a file can be made at `path`: to be asked before all the work, and in plans. The error names
/// `flag`.
Status MayExport(const std::string& flag, const std::string& path);

/// With the flag and the file in front.
Error OfTarget(const std::string& flag, const std::string& path, const Error& error);

}  // namespace imgmill
