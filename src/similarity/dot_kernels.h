// The inner loop of every search by cosine: dot products of several rows with several queries.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace imgmill {

/// Rows of `n` floats, and queries of DotQueries' panels. Each of the row_count * count dot products begins
/// dots[r * count + q], query q being that at place skip + q.
/// @param panels  from the one that has the first query
/// @param skip  queries of that panel before the first one, less than four
using DotsFunction = void (*)(const float* const* rows, size_t row_count, const float* panels, size_t n,
                              size_t skip, size_t count, float* dots);

/// For one instruction set, by Highway's name for it.
struct DotKernel {
  std::string_view name;
  DotsFunction dots;
};
/// The best that this machine has.
const DotKernel& BestDotKernel();

/// All that this machine can run, the best first: for tests and benchmarks.
std::vector<DotKernel> AvailableDotKernels();

/// What BestDotKernel gives from now on, to measure what a lesser machine would do. Before any search.
/// @return false if this machine cannot run it
bool ChooseDotKernel(std::string_view name);

}  // namespace imgmill
