// Which allocations a test wants refused: the k-th, or each with some probability.
#pragma once

#include <cstdint>

namespace imgmill {

/// Not thread-safe: the pool's lock guards it.
class RefusalPlan {
 public:
  /// Refuse the k-th allocation from now (1 is the next) and the `count - 1` after it; k = 0: none.
  void Kth(uint64_t k, uint64_t count) {
    skip_ = k;
    count_ = k == 0 ? 0 : count;
  }

  /// Refuse each with this probability, 0..1.
  void Random(double probability, uint64_t seed) {
    probability_ = probability;
    state_ = seed;
  }

  /// Counts one allocation. @return whether it is to be refused
  bool Next() {
    bool refuse = false;
    if (count_ > 0) {
      if (skip_ > 1) {
        --skip_;
      } else {
        --count_;
        refuse = true;
      }
    }
    if (probability_ > 0 && NextUniform() < probability_) refuse = true;
    return refuse;
  }

 private:
  /// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
  double NextUniform() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return static_cast<double>(z >> 11) * 0x1p-53;
  }

  uint64_t skip_ = 0;
  uint64_t count_ = 0;
  double probability_ = 0;
  uint64_t state_ = 0;
};

}  // namespace imgmill
