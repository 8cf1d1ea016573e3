// Takes PNG's row filters back (PNG 1.2, section 6).
#pragma once

#include <cstddef>
#include <cstdint>

namespace imgmill {

/// Bytes behind a row that may be read and written.
inline constexpr size_t kUnfilterMargin = 8;

/// @param filtered     `bytes` of the file, without the filter's number; a margin behind them may be read
/// @param above        the row above as it was, of zeros for the first; with a margin, as `row`
/// @param pixel_bytes  1 to 8
/// @return false for a filter that there is not
bool UnfilterPngRow(uint8_t filter, const uint8_t* filtered, const uint8_t* above, size_t bytes,
                    size_t pixel_bytes, uint8_t* row);

}  // namespace imgmill
