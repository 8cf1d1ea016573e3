// A real inverse FFT of 32 points in three passes, and the DCT made of it.
#include "signals/dct32.h"

#include <array>
#include <cmath>
#include <numbers>

namespace imgmill {
namespace {

constexpr size_t kPoints = 32;
using Line = std::array<double, kPoints>;

struct Turn {
  double cos;
  double sin;
};

// cos and sin of 2 pi k / n for k up to n / 4, from the octant in which they are most exact.
Turn OctantTurn(size_t k, size_t n) {
  const double unit =
      static_cast<double>(0.25L * std::numbers::pi_v<long double> / static_cast<long double>(n));
  const size_t eighths = 8 * k;
  if (eighths < n) {
    const double angle = static_cast<double>(eighths) * unit;
    return {std::cos(angle), std::sin(angle)};
  }
  const double angle = static_cast<double>(2 * n - eighths) * unit;
  return {std::sin(angle), std::cos(angle)};
}

// cos(2 pi k / 128) for k = 1..32. Above 15 it is the product of a coarse and a fine turn, and rounded so.
std::array<double, kPoints> MakeRotations() {
  constexpr size_t kTurns = 4 * kPoints;
  constexpr size_t kFine = 16;
  std::array<double, kPoints> rotations;
  for (size_t i = 0; i < kPoints; ++i) {
    const size_t k = i + 1;
    const Turn fine = OctantTurn(k % kFine, kTurns);
    const Turn coarse = OctantTurn(k / kFine * kFine, kTurns);
    rotations[i] = fine.cos * coarse.cos - fine.sin * coarse.sin;
  }
  return rotations;
}

// Radix 2 on 16 pairs of (real, imaginary) packed as r0 r1 i1 r2 i2 ... in two halves.
void InverseRadix2(const Line& in, Line& out) {
  constexpr size_t kSpan = 16;
  static const auto kTwiddles = [] {
    std::array<Turn, kSpan / 2> turns;
    for (size_t k = 0; k < turns.size(); ++k) turns[k] = OctantTurn(k, kPoints);
    return turns;
  }();
  const double* a = in.data();
  const double* b = in.data() + kSpan;
  double* sum = out.data();
  double* difference = out.data() + kSpan;
  sum[0] = a[0] + b[kSpan - 1];
  difference[0] = a[0] - b[kSpan - 1];
  sum[kSpan - 1] = 2 * a[kSpan - 1];
  difference[kSpan - 1] = -2 * b[0];
  for (size_t i = 2; i < kSpan; i += 2) {
    const size_t mirror = kSpan - i;
    const Turn w = kTwiddles[i / 2];
    sum[i - 1] = a[i - 1] + b[mirror - 1];
    const double real = a[i - 1] - b[mirror - 1];
    const double imaginary = a[i] + b[mirror];
    sum[i] = a[i] - b[mirror];
    difference[i] = w.cos * imaginary + w.sin * real;
    difference[i - 1] = w.cos * real - w.sin * imaginary;
  }
}

// Radix 4 on `groups` groups of four spans of `span` (4 or 1) values; outputs lie 4 groups apart.
template <size_t span, size_t groups>
void InverseRadix4(const Line& in, Line& out) {
  static_assert(4 * span * groups == kPoints);
  const double sqrt2 = std::numbers::sqrt2;
  for (size_t g = 0; g < groups; ++g) {
    const double* c0 = in.data() + 4 * span * g;
    const double* c1 = c0 + span;
    const double* c2 = c1 + span;
    const double* c3 = c2 + span;
    double* o0 = out.data() + span * g;
    double* o1 = o0 + span * groups;
    double* o2 = o1 + span * groups;
    double* o3 = o2 + span * groups;
    {
      const double sum = c0[0] + c3[span - 1];
      const double difference = c0[0] - c3[span - 1];
      const double twice1 = 2 * c1[span - 1];
      const double twice2 = 2 * c2[0];
      o0[0] = sum + twice1;
      o2[0] = sum - twice1;
      o3[0] = difference + twice2;
      o1[0] = difference - twice2;
    }
    if constexpr (span == 4) {
      const double imaginary_sum = c3[0] + c1[0];
      const double imaginary_difference = c3[0] - c1[0];
      const double real_sum = c0[3] + c2[3];
      const double real_difference = c0[3] - c2[3];
      o0[3] = real_sum + real_sum;
      o1[3] = sqrt2 * (real_difference - imaginary_sum);
      o2[3] = imaginary_difference + imaginary_difference;
      o3[3] = -sqrt2 * (real_difference + imaginary_sum);

      // The one pair between the ends: its mirror is itself.
      const double tr1 = c0[1] - c3[1], tr2 = c0[1] + c3[1];
      const double ti1 = c0[2] + c3[2], ti2 = c0[2] - c3[2];
      const double tr4 = c2[2] + c1[2], ti3 = c2[2] - c1[2];
      const double tr3 = c2[1] + c1[1], ti4 = c2[1] - c1[1];
      static const std::array<Turn, 3> kTwiddles = {OctantTurn(2, kPoints), OctantTurn(4, kPoints),
                                                    OctantTurn(6, kPoints)};
      const double real[3] = {tr1 - tr4, tr2 - tr3, tr1 + tr4};
      const double imaginary[3] = {ti1 + ti4, ti2 - ti3, ti1 - ti4};
      o0[1] = tr2 + tr3;
      o0[2] = ti2 + ti3;
      double* const turned[3] = {o1, o2, o3};
      for (size_t j = 0; j < 3; ++j) {
        const Turn w = kTwiddles[j];
        turned[j][2] = w.cos * imaginary[j] + w.sin * real[j];
        turned[j][1] = w.cos * real[j] - w.sin * imaginary[j];
      }
    }
  }
}

}  // namespace

void Dct32(std::span<double, 32> values) {
  static const std::array<double, kPoints> kRotations = MakeRotations();
  Line a, b;
  for (size_t i = 0; i < kPoints; ++i) a[i] = values[i];
  a[0] *= 2;
  a[kPoints - 1] *= 2;
  for (size_t k = 1; k + 1 < kPoints; k += 2) {
    const double next = a[k + 1];
    a[k + 1] = next - a[k];
    a[k] = a[k] + next;
  }
  InverseRadix2(a, b);
  InverseRadix4<4, 2>(b, a);
  InverseRadix4<1, 8>(a, b);
  constexpr size_t kHalf = kPoints / 2;
  for (size_t k = 1; k < kHalf; ++k) {
    const size_t mirror = kPoints - k;
    const double t1 = kRotations[k - 1] * b[mirror] + kRotations[mirror - 1] * b[k];
    const double t2 = kRotations[k - 1] * b[k] - kRotations[mirror - 1] * b[mirror];
    b[k] = 0.5 * (t1 + t2);
    b[mirror] = 0.5 * (t1 - t2);
  }
  b[kHalf] *= kRotations[kHalf - 1];
  for (size_t i = 0; i < kPoints; ++i) values[i] = b[i];
}

}  // namespace imgmill
