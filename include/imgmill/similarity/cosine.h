// Nearest vectors by cosine, exactly, over rows that are looked at a window at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"

namespace imgmill {

/// Vectors of length 1 in consecutive rows, such as a mapped file's: calls `see` with rows
/// [first, first + count), which are there during the call only. Called from many threads.
using LookAtRows =
    std::function<Status(uint64_t first, uint64_t count, const std::function<void(const float* rows)>& see)>;

struct VectorRows {
  int dimension = 0;
  LookAtRows look;
};

/// The dot product of two vectors, to the bit the same on every machine: element i goes to sum i % 4 by a
/// fused multiply-add (IEEE 754), as if zeros followed up to a multiple of four, and the sums are added
/// pairwise (2 apart, then 1). One element after another: the oracle of the vector kernels, which agree to
/// the bit.
float DotScalar(const float* a, const float* b, size_t n);

/// A row that may be found. Several images of equal content share one.
struct SearchRow {
  uint64_t row = 0;
  uint32_t id = 0;
  uint64_t checksum = 0;  ///< of its vector, where a search asks
};

/// Whether a row's vector is what it was when it was written; asked on many threads at once. Must not throw.
using IsWholeRow = std::function<bool(const SearchRow& row, const float* vector)>;

struct Neighbour {
  uint32_t id = 0;
  float similarity = 0;  ///< cosine, at most 1
};

/// For each query the `top` rows with the largest cosine, at least `least`; the larger first, of equals the
/// smaller id. Exact: every row is compared.
/// @param queries   vectors of rows.dimension floats, one after another.
/// @param searched  in order of row.
/// @param is_whole  each row is asked while it is in the processor's cache, once for every 256 queries; one
///   that is not whole is not found. Empty where all are.
/// @param leave_out id that each query does not want to see; kNobody for none. As long as there are queries.
/// @return a list a query; kInterrupted when `stop` asked for it; what `look` complained about.
/// Memory: SearchWindowBytes() mapped, SearchQueryBytes() from the current pool, and 8 bytes times top a
/// query and thread.
inline constexpr uint32_t kNobody = UINT32_MAX;
Result<std::vector<std::vector<Neighbour>>> NearestByCosine(const VectorRows& rows,
                                                            std::span<const SearchRow> searched,
                                                            std::span<const float> queries,
                                                            std::span<const uint32_t> leave_out, size_t top,
                                                            float least, int threads, const StopFlag& stop,
                                                            const IsWholeRow& is_whole = {});

/// What a search holds of its queries, beside them.
size_t SearchQueryBytes(size_t queries, int dimension);
/// The most that a search has mapped at once.
size_t SearchWindowBytes(int dimension, int threads);

}  // namespace imgmill
