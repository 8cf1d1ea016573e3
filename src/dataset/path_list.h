// The list of paths that --files-from names.
#pragma once

#include <functional>
#include <string>

#include "dataset/sorted_paths.h"
#include "imgmill/base/result.h"
#include "imgmill/dataset/listing.h"

namespace imgmill {

/// Reads the whole list into `sorted` and finishes it. What names one file by several ways is taken once.
/// @param folder  told of each folder and archive that the list names, but for one that is called like an
/// image
/// @return kUsage for what is no list of paths, kReadError, or SortedPaths' errors
Status ReadPathList(const ListOptions& options, SortedPaths& sorted,
                    const std::function<void(const std::string& path)>& folder);

}  // namespace imgmill
