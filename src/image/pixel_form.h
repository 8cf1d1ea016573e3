// From the canonical pixels of a decoder to the bands, alpha and depth that an operation asked for.
#pragma once

#include <memory>

#include "imgmill/image/reader.h"

namespace imgmill {

/// What `options` make of `canonical` pixels (grey or sRGB, with or without alpha).
Layout FormFor(const Layout& canonical, const ReadOptions& options);

/// Converts one row of `width` pixels. `linear`: float colours are linear light and become sRGB encoded.
/// `scratch` is grown as needed and may be reused.
void ConvertRow(const uint8_t* from, const Layout& canonical, bool linear, const ReadOptions& options,
                uint8_t* to, std::vector<float>& scratch);

/// `rows` in the form that `options` ask for; `rows` itself where that is the same.
std::unique_ptr<RowReader> WithForm(std::unique_ptr<RowReader> rows, bool linear, const ReadOptions& options);

}  // namespace imgmill
