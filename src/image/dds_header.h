// DDS: game textures, whose headers may say the same in several ways, and things that decoders disagree on.
// What is left is told to the decoder in one way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "image/still/still_header.h"
#include "open_file.h"

namespace imgmill {

/// Of the header that the decoder gets.
inline constexpr size_t kDdsHeaderBytes = 128;

/// The first and largest image of a file that begins with "DDS "; `at` leads to its pixels. Nothing if the
/// header does not add up.
std::optional<StillHeader> ReadDdsHeader(const InputFile& file);

/// A header for these pixels alone.
void WriteDdsHeader(const StillHeader& header, uint8_t* to);

/// Whether its pixels are stored as they are, not as blocks of a few colours.
bool IsUncompressedDds(const InputFile& file);

}  // namespace imgmill
