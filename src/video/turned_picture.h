// A decoded picture turned before its colours are made, as ffmpeg does it: colour samples that are
// interpolated first and turned then give slightly other numbers.
#pragma once

#include "ffmpeg/owned.h"

namespace imgmill {

/// Whether Turn can turn it: samples of each band in a plane of their own, shared alike along and across.
bool CanTurn(const AVFrame& picture);

/// `picture` as EXIF's `orientation` asks for. Null: out of memory.
DecodedFrame Turn(const AVFrame& picture, int orientation);

}  // namespace imgmill
