// Rows from a decoder of ours, converted by libvips through a profile.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "vips_rows.h"

namespace imgmill {

/// @param profile  what the numbers mean; empty for what `meaning` says alone. Call under VipsShared or
///                 VipsAlone.
MadePipeline ThroughProfile(std::unique_ptr<RowReader> rows, VipsInterpretation meaning,
                            const std::vector<uint8_t>& profile, bool keep_profile);

}  // namespace imgmill
