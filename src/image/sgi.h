// SGI images (.sgi): channels one after the other, the lowest row of each first, raw or in runs, whose rows a
// table finds.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "image/still/still_header.h"
#include "open_file.h"

namespace imgmill {

/// Of a file that begins with SGI's two bytes. Nothing if the header does not add up.
std::optional<StillHeader> ReadSgiHeader(const InputFile& file);

/// Pixels of which all channels are in the first `bytes` behind the header of raw ones, in the order in which
/// they are stored.
int64_t SgiRawPixels(const StillHeader& header, int64_t bytes);

/// Rows, from the lowest one on, whose runs are whole in all channels.
int64_t SgiWholeRows(const StillHeader& header, std::span<const uint8_t> file);

/// Makes raw pixels black from the first one on that is not whole; `file` has room for all.
void BlackenSgi(const StillHeader& header, int64_t whole_pixels, uint8_t* file);

/// Runs of one black row.
std::vector<uint8_t> BlackSgiRow(const StillHeader& header);

/// Makes all rows behind the first `whole_rows` the one whose runs lie at `black_row`.
void BlackenSgiRows(const StillHeader& header, int64_t whole_rows, size_t black_row, uint8_t* file);

}  // namespace imgmill
