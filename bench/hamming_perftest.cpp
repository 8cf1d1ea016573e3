// Speed of the Hamming kernels, of all pairs and of grouping, on random and clustered 64-bit hashes.
//
// Run: build/release/bin/hamming_perftest [N] [RADIUS] [THREADS]; by default 1000000 10 2.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "bench_hashes.h"
#include "imgmill/similarity/grouping.h"
#include "imgmill/similarity/hamming.h"
#include "similarity/hamming_index.h"
#include "similarity/hamming_scan.h"

namespace imgmill {
namespace {

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void TimeScans() {
  std::mt19937_64 random(2);
  std::vector<uint64_t> hashes(ScanWords<uint64_t>(kScanRun));
  for (uint64_t& hash : hashes) hash = random();
  std::vector<uint32_t> hits(kScanRun + 16);
  for (const HammingKernels& kernels : AvailableHammingKernels()) {
    constexpr int kRounds = 100'000;
    size_t found = 0;
    const double start = Seconds();
    for (int i = 0; i < kRounds; ++i) {
      found += kernels.scan_64(hashes.data(), kScanRun, static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15, 10,
                               hits.data());
    }
    const double seconds = Seconds() - start;
    std::printf("scan %-16s %6.2f G hashes/s (%zu hits)\n", std::string(kernels.name).c_str(),
                kRounds * double{kScanRun} / seconds * 1e-9, found);
  }
}

void TimeGrouping(const char* what, const std::vector<uint64_t>& hashes, int radius, int threads) {
  const StopFlag stop;
  RankedKeys items(hashes.size());
  std::copy(hashes.begin(), hashes.end(), items.keys.begin());
  std::iota(items.order.begin(), items.order.end(), uint32_t{0});
  const double start = Seconds();
  const auto groups = GroupByHamming(std::move(items), radius, threads, stop);
  std::printf("group %s: %.2f s, %zu groups\n", what, Seconds() - start, groups.ok() ? groups->size() : 0);
}

int Main(int argc, char** argv) {
  const size_t n = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const int radius = argc > 2 ? std::atoi(argv[2]) : 10;
  const int threads = argc > 3 ? std::atoi(argv[3]) : 2;
  TimeScans();

  std::vector<uint64_t> hashes = ClusteredHashes(n);
  const IndexPlan plan = IndexPlan::Choose(n, radius);
  std::printf("plan: %zu parts of %d bits, %.1f us a query expected, %.0f MB\n", plan.thresholds.size(),
              plan.width, plan.cost_ns * 1e-3, static_cast<double>(HammingIndexBytes(n, radius)) * 1e-6);
  double start = Seconds();
  const HammingIndex<uint64_t> index(std::span<const uint64_t>(hashes), radius);
  std::printf("index: %.2f s\n", Seconds() - start);

  uint64_t pairs = 0;
  const StopFlag stop;
  start = Seconds();
  const Status status = PairsWithin(std::span<const uint64_t>(hashes), radius, threads, stop,
                                    [&](std::span<const HammingPair> block) { pairs += block.size(); });
  const double seconds = Seconds() - start;
  if (!status) return 1;
  std::printf("all pairs of %zu within %d on %d threads: %.2f s, %.0f hashes/s, %llu pairs\n", n, radius,
              threads, seconds, static_cast<double>(n) / seconds, static_cast<unsigned long long>(pairs));

  TimeGrouping("clustered", hashes, radius, threads);
  for (size_t i = 0; i < n / 10; ++i) hashes[i * 10] = 0x0123456789abcdef;
  TimeGrouping("with a tenth of them equal", hashes, radius, threads);
  return 0;
}

}  // namespace
}  // namespace imgmill

int main(int argc, char** argv) {
  return imgmill::Main(argc, argv);
}
