// The kernels: triangle; Keys' cubic with a = -0.5 (Catmull-Rom); Mitchell and Netravali's with B = C = 1/3;
// sinc windowed by sinc of two and three lobes (Lanczos).
#include "resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace imgmill {
namespace {

double Support(Kernel kernel) {
  switch (kernel) {
    case Kernel::kNearest:
      return 0.5;
    case Kernel::kLinear:
      return 1;
    case Kernel::kCubic:
    case Kernel::kMitchell:
    case Kernel::kLanczos2:
      return 2;
    case Kernel::kLanczos3:
      return 3;
  }
  return 1;
}

double Sinc(double x) {
  return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

// Mitchell and Netravali, "Reconstruction filters in computer graphics", SIGGRAPH 1988, eq. 8.
double BcSpline(double x, double b, double c) {
  if (x < 1) {
    return ((12 - 9 * b - 6 * c) * x * x * x + (-18 + 12 * b + 6 * c) * x * x + (6 - 2 * b)) / 6;
  }
  if (x < 2) {
    return ((-b - 6 * c) * x * x * x + (6 * b + 30 * c) * x * x + (-12 * b - 48 * c) * x + (8 * b + 24 * c)) /
           6;
  }
  return 0;
}

double Weight(Kernel kernel, double distance) {
  const double x = std::abs(distance);
  switch (kernel) {
    case Kernel::kNearest:
      return 1;
    case Kernel::kLinear:
      return std::max(0.0, 1 - x);
    case Kernel::kCubic:
      return BcSpline(x, 0, 0.5);
    case Kernel::kMitchell:
      return BcSpline(x, 1.0 / 3, 1.0 / 3);
    case Kernel::kLanczos2:
      return x < 2 ? Sinc(x) * Sinc(x / 2) : 0;
    case Kernel::kLanczos3:
      return x < 3 ? Sinc(x) * Sinc(x / 3) : 0;
  }
  return 0;
}

}  // namespace

std::optional<Kernel> KernelFromName(const std::string& name) {
  if (name == "nearest") return Kernel::kNearest;
  if (name == "linear") return Kernel::kLinear;
  if (name == "cubic") return Kernel::kCubic;
  if (name == "mitchell") return Kernel::kMitchell;
  if (name == "lanczos2") return Kernel::kLanczos2;
  if (name == "lanczos3") return Kernel::kLanczos3;
  return std::nullopt;
}

Taps MakeTaps(int64_t inputs, int64_t outputs, Kernel kernel) {
  const double step = static_cast<double>(inputs) / static_cast<double>(outputs);
  const double widen = std::max(1.0, step);
  const double support = Support(kernel) * widen;
  Taps taps;
  taps.most = kernel == Kernel::kNearest ? 1 : static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  taps.most = std::min(taps.most, inputs);
  taps.weights.resize(static_cast<size_t>(outputs * taps.most));
  for (int64_t out = 0; out < outputs; ++out) {
    const double centre = (static_cast<double>(out) + 0.5) * step;
    int64_t first = static_cast<int64_t>(std::floor(centre));
    int64_t last = first + 1;
    if (kernel != Kernel::kNearest) {
      first = static_cast<int64_t>(std::floor(centre - support + 0.5));
      last = static_cast<int64_t>(std::floor(centre + support + 0.5));
    }
    first = std::clamp<int64_t>(first, 0, inputs - 1);
    last = std::clamp<int64_t>(last, first + 1, std::min(inputs, first + taps.most));
    float* weights = taps.weights.data() + out * taps.most;
    double sum = 0;
    for (int64_t i = first; i < last; ++i) {
      sum += Weight(kernel, (static_cast<double>(i) + 0.5 - centre) / widen);
    }
    for (int64_t i = first; i < last; ++i) {
      weights[i - first] =
          static_cast<float>(Weight(kernel, (static_cast<double>(i) + 0.5 - centre) / widen) / sum);
    }
    taps.first.push_back(first);
    taps.count.push_back(last - first);
  }
  return taps;
}

}  // namespace imgmill
