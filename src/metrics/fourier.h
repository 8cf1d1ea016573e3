// The discrete Fourier transform of a square.
#pragma once

#include <complex>
#include <cstddef>
#include <span>

namespace imgmill {

/// Transforms `side` x `side` values in place, unnormalised; backwards: the inverse times side * side.
/// @param side  a power of two
void TransformSquare(std::span<std::complex<float>> values, size_t side, bool backwards);

}  // namespace imgmill
