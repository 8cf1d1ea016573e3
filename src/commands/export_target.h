// Files that a user has named for results, looked at before the work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "imgmill/base/error.h"
#include "imgmill/base/result.h"

namespace imgmill {

/// Whether a file can be made at `path`: to be asked before all the work, and in plans. The error names
/// `flag`.
Status MayExport(const std::string& flag, const std::string& path);

/// Why what an earlier run has exported to `path` is not replaced: of no image there is anything to export,
/// as where a drive is not mounted. Nothing where there is nothing to lose.
std::optional<Error> WhyLeaveExport(const std::string& path, uint64_t images, bool force);

/// With the flag and the file in front.
Error OfTarget(const std::string& flag, const std::string& path, const Error& error);

}  // namespace imgmill
