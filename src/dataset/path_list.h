// The list of paths that --files-from names.
#pragma once

#include "dataset/sorted_paths.h"
#include "imgmill/base/result.h"
#include "imgmill/dataset/listing.h"

namespace imgmill {

/// Reads the whole list into `sorted` and finishes it. What names one file by several ways is taken once.
/// @return kUsage for what is no list of paths, kReadError, or SortedPaths' errors
Status ReadPathList(const ListOptions& options, SortedPaths& sorted);

}  // namespace imgmill
