// Files that a user has named for results, looked at before the work.
#pragma once

#include <cstdint>
#include <string>

#include "base/may_overwrite.h"
#include "imgmill/base/error.h"
#include "imgmill/base/result.h"
#include "imgmill/commands/command.h"
#include "imgmill/commands/steps_before.h"

namespace imgmill {

/// Whether a file can be made at `path`: to be asked before all the work, and in plans. The error names
/// `flag`. No file is no error.
Status MayExport(const std::string& flag, const std::string& path, WrittenAs as, const StepsBefore& before);

/// Whether there is, or will be, a folder that may be written to for what is called `path`. The error names
/// `flag`.
Status MayPutInto(const std::string& flag, const std::string& path, const StepsBefore& before);

/// Whether what an earlier run has exported to `path` is not replaced: of no image there is anything to
/// export, as where a drive is not mounted. That is told, and a failure. False where there is nothing to
/// lose, with --force, and where steps before this one have dropped all images: then there are none to be in
/// it.
bool LeavesExport(const std::string& path, uint64_t images, const CommandServices& services,
                  CommandResult& result);

/// With the flag and the file in front.
Error OfTarget(const std::string& flag, const std::string& path, const Error& error);

}  // namespace imgmill
