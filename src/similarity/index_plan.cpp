// The cost estimate, and the sharing of the radius.
#include "similarity/index_plan.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace imgmill {
namespace {

struct Costs {
  double probe_ns;    ///< one bucket fetched from cache
  double compare_ns;  ///< one hash of a bucket
  double scan_ns;     ///< one hash of a scan
  int most_tables;
};
// Measured on a server core (2.6 GHz, AVX-512). Hashes of 256 bits do not lie in their buckets: they would
// take 32 bytes a table.
constexpr Costs kOf64 = {9.0, 0.25, 0.25, 8};
constexpr Costs kOf256 = {15.0, 12.0, 0.3, 20};

}  // namespace

double KeysWithin(int width, int threshold) {
  double size = 0;
  double choose = 1;
  for (int k = 0; k <= std::min(width, threshold); ++k) {
    size += choose;
    choose = choose * (width - k) / (k + 1);
  }
  return size;
}

// The thresholds are as equal as can be.
IndexPlan IndexPlan::Of(int width, int tables, int radius) {
  IndexPlan plan{width, {}, 0};
  for (int t = 0; t < tables; ++t)
    plan.thresholds.push_back((radius + 1) / tables - 1 + (t < (radius + 1) % tables ? 1 : 0));
  return plan;
}

IndexPlan IndexPlan::Choose(size_t n, int radius, int bits) {
  const Costs& costs = bits == 64 ? kOf64 : kOf256;
  const int words = bits / 64;
  const auto count = static_cast<double>(n);
  IndexPlan best{0, {radius}, costs.probe_ns + count * costs.scan_ns};
  // More keys than hashes would only make empty buckets; 2^22 keys are 16 MiB of offsets.
  const int widest = std::min(22, static_cast<int>(std::bit_width(n)));
  for (int tables = 1; tables <= std::min(costs.most_tables, radius + 1); ++tables) {
    // No part goes across words.
    const int in_word = (tables + words - 1) / words;
    for (int width = 4; width <= std::min(widest, 64 / in_word); ++width) {
      IndexPlan plan = Of(width, tables, radius);
      const double per_bucket =
          costs.probe_ns + count / static_cast<double>(uint64_t{1} << width) * costs.compare_ns;
      for (const int threshold : plan.thresholds) plan.cost_ns += KeysWithin(width, threshold) * per_bucket;
      if (plan.cost_ns < best.cost_ns) best = plan;
    }
  }
  return best;
}

}  // namespace imgmill
