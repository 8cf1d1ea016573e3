// A file as libvips' readers are to see it: with other bytes in place of some of its own, where those keep a
// sound file from being read, or as a part of an archive.
#pragma once

#include <cstdint>
#include <string>

#include "open_file.h"
#include "vips_session.h"

namespace imgmill {

struct FilePatch {
  int64_t at = 0;     ///< where the bytes lie that are replaced
  int64_t bytes = 0;  ///< how many they are
  std::string by;     ///< of any length
};

/// Null: libvips' error buffer says why. Call under VipsShared or VipsAlone.
GRef<VipsSource> PatchedSource(const InputFile& file, FilePatch patch);

}  // namespace imgmill
