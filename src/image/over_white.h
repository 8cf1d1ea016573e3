// A colour as it is seen on a white page: the one rule for alpha wherever it is not kept.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace imgmill {

/// Rounded to the nearest; float takes alpha outside of 0 to 1 as the nearer end.
template <typename T>
T OverWhite(T colour, T alpha) {
  if constexpr (std::is_same_v<T, float>) {
    const float a = std::clamp(alpha, 0.0F, 1.0F);
    return colour * a + (1.0F - a);
  } else {
    constexpr uint64_t kFull = std::numeric_limits<T>::max();
    return static_cast<T>((colour * uint64_t{alpha} + kFull * (kFull - alpha) + kFull / 2) / kFull);
  }
}

}  // namespace imgmill
