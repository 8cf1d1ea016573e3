// The inner loop of every Hamming search: which of a run of hashes lie within a radius of one hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace imgmill {

/// Longest run that one call may be given, so that its hits fit a buffer on the stack.
inline constexpr size_t kScanRun = 1024;

/// Writes the positions 0..n-1 of the hashes within `radius` (0..64) of `query` to `hits`, in order.
/// @param n     at most kScanRun
/// @param hits  room for kScanRun + 16 positions; what lies beyond the returned count is undefined.
/// @return how many there are
using ScanFunction = size_t (*)(const uint64_t* hashes, size_t n, uint64_t query, int radius, uint32_t* hits);

/// One hash at a time in plain C++: the oracle of the others.
size_t ScanScalar(const uint64_t* hashes, size_t n, uint64_t query, int radius, uint32_t* hits);

/// The fastest one that this machine can run.
ScanFunction BestScan();

/// All that this machine can run, by name, for tests and benchmarks.
struct NamedScan {
  std::string_view name;
  ScanFunction function;
};
std::vector<NamedScan> AvailableScans();

/// What BestScan gives from now on, to measure what a lesser machine would do. Before any search.
/// @return false if this machine cannot run it
bool ChooseScan(std::string_view name);

}  // namespace imgmill
