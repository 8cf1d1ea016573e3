// Where the tiles of an image lie.
#pragma once

#include <cstdint>
#include <vector>

namespace imgmill {

/// What becomes of the last column and row where the image is no multiple of the stride.
enum class EdgePolicy {
  kShift,  ///< moved back inside: every pixel is covered, the last tiles overlap
  kDrop,   ///< left out
  kPad     ///< filled up with copies of the image's last column and row
};

/// Where tiles of `size` begin on a side of `length` pixels, ascending: 0, `stride`, twice that, ... as long
/// as they lie inside. If pixels are left beyond the last one, and the next would begin among them, it is
/// moved back to end with the image, dropped, or taken as it is, to be filled up. A side shorter than `size`
/// has one tile if it may be filled up, else none.
std::vector<int64_t> TileStarts(int64_t length, int64_t size, int64_t stride, EdgePolicy edge);

}  // namespace imgmill
