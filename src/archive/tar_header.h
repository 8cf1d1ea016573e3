// What the fields of a tar header say.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "archive/tar_format.h"

namespace imgmill::tar {

/// Up to its first NUL.
std::string_view TextOf(const Header& header, Field field);

/// Octal digits between blanks and NULs, or GNU's big-endian number behind a byte 0x80. Nothing if it is
/// neither, or negative, or more than 63 bits.
std::optional<uint64_t> NumberOf(const Header& header, Field field);

/// Whether a block is a header, as far as can be told.
bool HasItsChecksum(const Header& header);
/// Nothing but zeros: it ends an archive.
bool IsEmpty(const Header& header);

}  // namespace imgmill::tar
