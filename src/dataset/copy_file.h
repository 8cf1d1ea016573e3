// A copy of a file that is as good as the file: bytes, mode, times, and extended attributes where they can be
// kept.
#pragma once

#include <cstdint>
#include <string>

#include "imgmill/base/result.h"
#include "imgmill/dataset/file_identity.h"

namespace imgmill {

struct CopiedAs {
  uint32_t mode = 0644;
  int64_t mtime_ns = 0;
  /// Refuse to publish a copy whose bytes are others (kConflict).
  std::optional<ContentDigest> expected;
  bool overwrite = false;
};

/// Through a temporary file beside `to`, synced and renamed. Owner and extended attributes are kept where the
/// system allows it.
Status CopyFile(const std::string& from, const std::string& to, const CopiedAs& as);

}  // namespace imgmill
