// A RowReader as a libvips image, so that libvips' operations can work on rows from anywhere.
#pragma once

#include <memory>
#include <optional>

#include "imgmill/image/reader.h"
#include "vips_session.h"

namespace imgmill {

/// The rows behind an image made by ImageFromRows, and what went wrong with them.
struct RowsFeed {
  std::unique_ptr<RowReader> rows;
  int64_t next_row = 0;
  std::optional<Error> error;
};

/// An image whose pixels are pulled from `feed` once, top to bottom, through a window of `window_rows` rows
/// in which operations may look back. Null: libvips failed. Call under VipsShared or VipsAlone.
ImageRef ImageFromRows(const std::shared_ptr<RowsFeed>& feed, VipsInterpretation interpretation,
                       int window_rows);

/// libvips' name for a sample type.
VipsBandFormat BandFormat(Sample sample);
/// And for what the numbers mean: grey or sRGB, of 8 or 16 bits.
VipsInterpretation InterpretationOf(const Layout& layout);

}  // namespace imgmill
