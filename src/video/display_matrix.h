// How a container says that its pictures are to be turned.
#pragma once

#include <cstdint>

namespace imgmill {

/// The EXIF orientation that does the same as a display matrix (ISO/IEC 14496-12, 6.2.2), of nine numbers as
/// FFmpeg hands them out; 0 where none does: it turns by less than a right angle.
int OrientationOf(const int32_t* matrix);

}  // namespace imgmill
