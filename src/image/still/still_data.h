// The stored bytes of an image that FFmpeg decodes: whole, or found to be cut short, which FFmpeg does not
// always tell.
#pragma once

#include <optional>
#include <string>

#include "imgmill/memory/pool.h"
#include "still_header.h"

namespace imgmill {

struct StillData {
  Buffer buffer;  ///< with kStillPadding behind the bytes
  size_t bytes = 0;
  std::string missing;     ///< what is missing, where the rest was filled up with black; empty: nothing is
  int64_t whole_rows = 0;  ///< that were there, in the order in which they are stored
};

/// Of a file that cannot hold all pixels, as its size and what runs can do at most show.
std::optional<Error> StillTooShort(const StillHeader& header, int64_t file_bytes);

/// Reads the bytes that the decoder gets. Errors: kTruncated where they end before the last pixel, unless
/// `allow_truncated`. @throws OutOfMemory
Result<StillData> ReadStillData(const InputFile& file, const StillHeader& header, bool allow_truncated);

}  // namespace imgmill
