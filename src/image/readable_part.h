// How a note says that only a part of an image could be read, and how others find that out again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/error.h"

namespace imgmill {

/// Whether an error of this code tells of the file itself, so that what lies before it may be kept. A disk
/// that does not answer, or memory that is short, may be over in the next run.
inline bool IsBroken(Code code) {
  return code == Code::kTruncated || code == Code::kMalformed;
}

/// Of a file that ends early or is corrupt, read with ReadOptions::allow_truncated.
/// @param rows  that could be read, of `all`: the upper ones, as stored, or the lower ones
/// @param fill  the colour of the others, in a word
/// @return "112 of 321 rows could be read; the rest is black: JPEG data ends at row 112 of 321"
std::string PartNote(int64_t rows, int64_t all, std::string_view fill, const std::string& why,
                     bool lower = false);

/// Whether a note says that an image is not whole.
bool IsPartNote(std::string_view note);

/// Rows of an image as stored, `end` not among them.
struct RowSpan {
  int64_t begin = 0;
  int64_t end = 0;
};

/// Those that could be read, if one of the notes tells.
std::optional<RowSpan> RowsRead(const std::vector<std::string>& notes);

}  // namespace imgmill
