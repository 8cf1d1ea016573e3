// What decides a model's results to the last bit. Memory decides only how many batches are in flight; what a
// rung of the ladder changes of it is marked.
#pragma once

#include <string>
#include <string_view>

namespace imgmill {

/// What a network computes in. Its input and output are the same either way.
enum class Precision { kFloat32, kHalf };

/// "float32", "float16".
std::string_view ToString(Precision precision);

/// Fixed before the first image, from model, flags and instruction set only.
struct NumericsPlan {
  std::string kernels;  ///< "winograd-avx512", "libtorch"
  Precision precision = Precision::kFloat32;
  int tile = 0;     ///< side of a tile's own area in input pixels; 0 untiled
  int overlap = 0;  ///< input pixels added on each side that has a neighbour
  int micro_batch = 1;
  std::string Describe() const;  ///< one line, for people; part of the operation's fingerprint
};

}  // namespace imgmill
