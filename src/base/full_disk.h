// What stands behind kDiskFull: most often a disk without room, but also a limit on the size of one file.
#pragma once

#include <string>

#include "imgmill/base/error.h"

namespace imgmill {

/// Of a file at ulimit -f, or at the largest size that its file system can hold: in the place of advice to
/// make room, which would not help.
inline constexpr char kPastFileLimit[] =
    "a file would be larger than ulimit -f or the file system allows: raise that limit, or write elsewhere";

/// What to do before the same command is run again.
/// @param full  an error of code kDiskFull
std::string AdviceOnFull(const Error& full);

}  // namespace imgmill
