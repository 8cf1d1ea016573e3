// Vectors of floats on GCC's vector types, and functions of them, for the kernels that are written once and
// compiled once an instruction set, in a namespace of its own, with IMGMILL_LANES floats a vector.
// Nothing else with code in it may be included here: of an inline function that several files compile the
// linker keeps one copy, perhaps the one made of AVX-512 instructions, for all machines.

using Vector =
    float __attribute__((vector_size(IMGMILL_LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

using IntVector = int32_t __attribute__((vector_size(IMGMILL_LANES * sizeof(int32_t))));

constexpr int kLanes = IMGMILL_LANES;

#define IMGMILL_INLINE static inline __attribute__((always_inline))

IMGMILL_INLINE Vector Load(const float* from) {
  return *reinterpret_cast<const Vector*>(from);
}
IMGMILL_INLINE void Store(float* to, Vector value) {
  *reinterpret_cast<Vector*>(to) = value;
}

/// e to the power of x, within 2 in 10^7: 2^n times a polynomial of what is left, less than ln(2) / 2.
IMGMILL_INLINE Vector Exp(Vector x) {
  constexpr float kMost = 88.0f, kLog2E = 1.44269504f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: what is added to it loses its fraction
  x = x > kMost ? kMost + Vector{} : x;
  x = x < -kMost ? -kMost + Vector{} : x;
  const Vector shifted = x * kLog2E + kRound;
  const Vector n = shifted - kRound;
  const Vector r = x - n * kLn2High - n * kLn2Low;
  Vector sum = r * (1.0f / 720) + (1.0f / 120);
  sum = sum * r + (1.0f / 24);
  sum = sum * r + (1.0f / 6);
  sum = sum * r + 0.5f;
  sum = sum * r + 1.0f;
  sum = sum * r + 1.0f;
  const IntVector power = ((IntVector)shifted - (IntVector)(kRound + Vector{}) + 127) << 23;
  return sum * (Vector)power;
}

IMGMILL_INLINE Vector Sigmoid(Vector x) {
  return 1.0f / (1.0f + Exp(-x));
}

/// The hyperbolic tangent of log(1 + e^x), the factor of Mish (Misra, 2019). From 20 on it is 1 in float32.
IMGMILL_INLINE Vector MishShare(Vector x) {
  constexpr float kOne = 20.0f;
  const Vector power = Exp(x > kOne ? kOne + Vector{} : x), both = power * (power + 2.0f);
  return both / (both + 2.0f);
}

/// The normal distribution's share below x, within 2 in 10^7: erf by formula 7.1.26 of Abramowitz and Stegun,
/// "Handbook of Mathematical Functions".
IMGMILL_INLINE Vector NormalShare(Vector x) {
  constexpr float kHalfRoot = 0.70710678f;
  const Vector far = (x > 0.0f ? x : -x) * kHalfRoot, t = 1.0f / (1.0f + 0.3275911f * far);
  Vector sum = t * 1.061405429f - 1.453152027f;
  sum = sum * t + 1.421413741f;
  sum = sum * t - 0.284496736f;
  sum = (sum * t + 0.254829592f) * t;
  const Vector beyond = 0.5f * sum * Exp(-far * far);
  return x > 0.0f ? 1.0f - beyond : beyond;
}
