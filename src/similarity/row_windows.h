// Rows that are wanted, cut into stretches of the file that are looked at together.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "imgmill/similarity/cosine.h"
#include "similarity/search_stop.h"
#include "similarity/search_threads.h"

namespace imgmill {

inline constexpr size_t kWindowBytes = size_t{2} << 20;

/// A multiple of what the kernels of dot products take at once: 8 rows, 6, or fewer.
inline constexpr size_t kRowsTogether = 24;

inline uint64_t WindowRows(int dimension) {
  return std::max<uint64_t>(1, kWindowBytes / (static_cast<size_t>(dimension) * sizeof(float)));
}

/// Goes through `wanted` (anything in order of row; `row_of` tells an element's), on `threads` threads at
/// once. `visit(thread, elements, vectors)` is called with up to kRowsTogether of them, and a pointer to each
/// one's vector; elements of one window by one thread. It must not throw.
template <typename Element, typename RowOf, typename Visit>
Status VisitRows(const VectorRows& rows, std::span<const Element> wanted, int threads, const StopFlag& stop,
                 const RowOf& row_of, const Visit& visit) {
  const uint64_t window_rows = WindowRows(rows.dimension);
  std::mutex mutex;
  size_t next = 0;  // of `wanted`
  Status failed;
  // The next run of wanted elements that one window covers.
  const auto take = [&]() -> std::span<const Element> {
    const std::lock_guard lock(mutex);
    if (!failed || next == wanted.size()) return {};
    failed = CheckVectorStop(stop);
    if (!failed) return {};
    const size_t begin = next;
    const uint64_t end_row = row_of(wanted[begin]) + window_rows;
    while (next < wanted.size() && row_of(wanted[next]) < end_row) ++next;
    return wanted.subspan(begin, next - begin);
  };
  OnThreads(threads, [&](int thread) {
    for (auto some = take(); !some.empty(); some = take()) {
      const uint64_t first = row_of(some.front());
      const uint64_t count = row_of(some.back()) - first + 1;
      const Status looked = rows.look(first, count, [&](const float* vectors) {
        for (size_t i = 0; i < some.size(); i += kRowsTogether) {
          const std::span<const Element> together = some.subspan(i, std::min(kRowsTogether, some.size() - i));
          const float* its[kRowsTogether];
          for (size_t r = 0; r < together.size(); ++r)
            its[r] = vectors + (row_of(together[r]) - first) * static_cast<uint64_t>(rows.dimension);
          visit(thread, together, its);
        }
      });
      if (looked) continue;
      const std::lock_guard lock(mutex);
      if (failed) failed = looked;
    }
  });
  return failed;
}

}  // namespace imgmill
