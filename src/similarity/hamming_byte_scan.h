// The scan of 256-bit hashes that lie byte by byte, for AVX2.
#pragma once

#include "similarity/hamming_scan.h"

namespace imgmill {

#if defined(__x86_64__)
/// As a ScanFunction. Each byte of a vector counts for a hash of its own, so that no sums within a vector are
/// needed.
size_t ScanBytesAvx2(const uint64_t* blocks, size_t n, const Hash256& query, int radius, uint32_t* hits);
#endif

}  // namespace imgmill
