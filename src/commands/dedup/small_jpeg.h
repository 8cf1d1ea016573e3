// A small picture of an image for a page, as the bytes of a JPEG file.
#pragma once

#include <string>

#include "imgmill/image/reader.h"
#include "imgmill/memory/footprint.h"
#include "signals/small_resize.h"

namespace imgmill {

/// Fed with all rows, 8 bits without alpha. Never larger than they are.
class SmallJpeg {
 public:
  /// @param long_side  of the picture, in pixels
  SmallJpeg(const Layout& rows, int64_t long_side);
  void Add(const ImageView& rows) { resize_.Add(rows); }
  Result<std::string> Finish();

  static Footprint Cost(const Layout& rows, int64_t long_side);
  /// As people see the image, decoded no larger than need be. What can be seen of a broken file is shown.
  static ReadOptions Reading(const ImageHeader& header, int64_t long_side);

 private:
  const Layout small_;
  SmallResize resize_;
};

}  // namespace imgmill
