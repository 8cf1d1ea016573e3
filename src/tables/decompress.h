// The compressions of Parquet's pages that are read: none, Snappy, gzip and Zstandard.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace imgmill {

/// The name of a codec by its number in the format's specification.
std::string CodecName(int64_t codec);
bool ReadsCodec(int64_t codec);

/// Fills all of `to`. False where `from` is damaged, or of another length.
bool Decompress(int64_t codec, std::span<const uint8_t> from, std::span<uint8_t> to);

}  // namespace imgmill
