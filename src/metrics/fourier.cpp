// Cooley and Tukey's algorithm, over rows, and over columns through a copy of each.
#include "metrics/fourier.h"

#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

namespace imgmill {
namespace {

using Value = std::complex<float>;

Value Times(Value a, Value b) {  // no look at infinities, which there are none of
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

/// @param roots  e^(-+2 pi i k / size), half of them
void TransformLine(Value* line, size_t size, const std::vector<Value>& roots) {
  for (size_t i = 1, reversed = 0; i < size; ++i) {
    size_t bit = size / 2;
    for (; (reversed & bit) != 0; bit /= 2) reversed ^= bit;
    reversed ^= bit;
    if (i < reversed) std::swap(line[i], line[reversed]);
  }
  for (size_t half = 1; half < size; half *= 2) {
    const size_t step = size / (2 * half);
    for (size_t begin = 0; begin < size; begin += 2 * half) {
      for (size_t k = 0; k < half; ++k) {
        const Value odd = Times(line[begin + k + half], roots[k * step]);
        const Value even = line[begin + k];
        line[begin + k] = even + odd;
        line[begin + k + half] = even - odd;
      }
    }
  }
}

}  // namespace

void TransformSquare(std::span<std::complex<float>> values, size_t side, bool backwards) {
  std::vector<Value> roots(side / 2), column(side);
  for (size_t k = 0; k < roots.size(); ++k) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(side);
    roots[k] = {static_cast<float>(std::cos(angle)),
                static_cast<float>(backwards ? std::sin(angle) : -std::sin(angle))};
  }
  for (size_t y = 0; y < side; ++y) TransformLine(values.data() + y * side, side, roots);
  for (size_t x = 0; x < side; ++x) {
    for (size_t y = 0; y < side; ++y) column[y] = values[y * side + x];
    TransformLine(column.data(), side, roots);
    for (size_t y = 0; y < side; ++y) values[y * side + x] = column[y];
  }
}

}  // namespace imgmill
