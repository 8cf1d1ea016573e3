// A file without a name, for what a memory budget cannot hold: it is gone when it is closed, whatever
// happens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/unique_fd.h"
#include "imgmill/base/result.h"

namespace imgmill {

struct NamelessFile {
  UniqueFd fd;         ///< open for reading and writing
  std::string folder;  ///< where its bytes lie, for messages

  /// All of the bytes, from `at` on. An error is of `stage`, as TemporaryFileError says it.
  Status WriteAt(Stage stage, const void* data, size_t bytes, uint64_t at) const;
  Status ReadAt(Stage stage, void* to, size_t bytes, uint64_t at) const;
};

/// In $TMPDIR; where that is not set or cannot be written to, in /var/tmp, which unlike /tmp is on a disk
/// everywhere, or in /tmp. The error is the first folder's.
Result<NamelessFile> OpenTemporaryFile(Stage stage);

/// What to say when making, writing or reading one failed with `errno_value`.
/// @param doing  "make", "write" or "read"
Error TemporaryFileError(Stage stage, int errno_value, const std::string& doing, const std::string& folder);

}  // namespace imgmill
