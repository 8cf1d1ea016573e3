// Both squares go through one transform, as real and imaginary part.
#include "imgmill/metrics/shift_finder.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "imgmill/memory/pool_array.h"
#include "metrics/fourier.h"
#include "metrics/metric_kernels.h"

namespace imgmill {
namespace {

constexpr int64_t kLargestSide = 512;
constexpr int64_t kCentroid = 2;  // pixels around the peak that its place is estimated from

int64_t SideFor(const PairShape& shape) {
  int64_t side = ShiftFinder::kSmallestSide;
  while (side < kLargestSide && 2 * side <= std::min(shape.width, shape.height)) side *= 2;
  return side;
}

}  // namespace

struct ShiftFinder::Impl {
  explicit Impl(const PairShape& shape)
      : side(SideFor(shape)),
        n(static_cast<size_t>(side)),
        column((shape.width - side) / 2),
        row((shape.height - side) / 2),
        square(shape),
        first(n * n),
        second(n * n),
        values(n * n) {
    square.width = square.height = side;
  }

  void Add(const PlaneRow& planes, PoolArray<float>& image, size_t& rows) {
    const size_t green = square.colours == 3 ? 1 : 0, blue = square.colours == 3 ? 2 : 0;
    const float* const rgb[3] = {planes.planes[0], planes.planes[green], planes.planes[blue]};
    const float weights[3] = {0.299F, 0.587F, 0.114F};
    BestMetricKernels().luma(rgb, weights, 0, n, image.data() + rows * n);
    ++rows;
  }

  float MeanOf(const PoolArray<float>& image) const {
    double sum = 0;
    for (const float value : image) sum += static_cast<double>(value);
    return static_cast<float>(sum / static_cast<double>(n * n));
  }

  /// values = phase of second times the conjugate of first, transformed back.
  void Correlate() {
    const float mean_first = MeanOf(first), mean_second = MeanOf(second);
    std::vector<float> window(n);
    for (size_t i = 0; i < n; ++i) {
      const double angle = 2 * std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(n);
      window[i] = static_cast<float>(0.5 - 0.5 * std::cos(angle));
    }
    for (size_t y = 0; y < n; ++y) {
      for (size_t x = 0; x < n; ++x) {
        const float weight = window[y] * window[x];
        const size_t i = y * n + x;
        values[i] = {(first[i] - mean_first) * weight, (second[i] - mean_second) * weight};
      }
    }
    TransformSquare(values.span(), n, /*backwards=*/false);
    for (size_t y = 0; y < n; ++y) {
      for (size_t x = 0; x < n; ++x) {
        // Each frequency is met with its negative, whose value is the conjugate: both are set at once.
        const size_t here = y * n + x, there = (n - y) % n * n + (n - x) % n;
        if (there < here) continue;
        const std::complex<float> z = values[here], opposite = std::conj(values[there]);
        const std::complex<float> a = z + opposite, b = z - opposite;  // twice A, twice iB
        const std::complex<float> cross = b * std::conj(a) * std::complex<float>(0, -1);
        const float size = std::abs(cross);
        const std::complex<float> phase = size > 0 ? cross / size : std::complex<float>();
        values[here] = phase;
        values[there] = std::conj(phase);
      }
    }
    TransformSquare(values.span(), n, /*backwards=*/true);
  }

  float At(int64_t dx, int64_t dy) const {
    const auto wrap = [this](int64_t d) { return static_cast<size_t>((d + side) % side); };
    return values[wrap(dy) * n + wrap(dx)].real();
  }

  Shift Peak() const {
    Shift best;
    const int64_t most = side / 4;
    for (int64_t dy = -most; dy <= most; ++dy) {
      for (int64_t dx = -most; dx <= most; ++dx) {
        if (At(dx, dy) > At(best.dx, best.dy)) best.dx = dx, best.dy = dy;
      }
    }
    double sum = 0, sum_x = 0, sum_y = 0;
    for (int64_t dy = best.dy - kCentroid; dy <= best.dy + kCentroid; ++dy) {
      for (int64_t dx = best.dx - kCentroid; dx <= best.dx + kCentroid; ++dx) {
        const double value = std::max(0.0, static_cast<double>(At(dx, dy)));
        sum += value;
        sum_x += value * static_cast<double>(dx);
        sum_y += value * static_cast<double>(dy);
      }
    }
    best.exact_x = sum > 0 ? sum_x / sum : 0;
    best.exact_y = sum > 0 ? sum_y / sum : 0;
    return best;
  }

  /// Whether the peak stands out as no chance does. Of 24 pairs of different photos it reached 6.3, 5.9, 8.3
  /// and 10.3 times the root mean square of all places, with squares of 32, 64, 128 and 256 pixels; of pairs
  /// that are shifted, the second blurred to a quarter of its resolution, 8.5 at least with 128 and 16 with
  /// 256.
  bool StandsOut(const Shift& peak) const {
    double squares = 0;
    for (const std::complex<float>& value : values)
      squares += static_cast<double>(value.real()) * static_cast<double>(value.real());
    const double by_chance = 5.9 + static_cast<double>(side) / 50;
    return static_cast<double>(At(peak.dx, peak.dy)) >
           by_chance * std::sqrt(squares) / static_cast<double>(n);
  }

  /// Mean squared difference of what the squares have in common.
  double Distance(int64_t dx, int64_t dy) const {
    double sum = 0, count = 0;
    for (int64_t y = std::max<int64_t>(0, -dy); y < std::min(side, side - dy); ++y) {
      const float* a = first.data() + y * side + std::max<int64_t>(0, -dx);
      const float* b = second.data() + (y + dy) * side + std::max<int64_t>(0, dx);
      const auto width = static_cast<size_t>(side - std::abs(dx));
      sum += BestMetricKernels().errors(a, b, width).squares;
      count += static_cast<double>(width);
    }
    return sum / count;
  }

  const int64_t side;
  const size_t n;
  const int64_t column, row;
  PairShape square;
  PoolArray<float> first, second;
  PoolArray<std::complex<float>> values;
  size_t first_rows = 0, second_rows = 0;
};

ShiftFinder::ShiftFinder(const PairShape& shape) : impl_(std::make_unique<Impl>(shape)) {}
ShiftFinder::~ShiftFinder() = default;

int64_t ShiftFinder::first_column() const {
  return impl_->column;
}
int64_t ShiftFinder::first_row() const {
  return impl_->row;
}
int64_t ShiftFinder::side() const {
  return impl_->side;
}
const PairShape& ShiftFinder::square() const {
  return impl_->square;
}

void ShiftFinder::AddFirst(const PlaneRow& row) {
  impl_->Add(row, impl_->first, impl_->first_rows);
}
void ShiftFinder::AddSecond(const PlaneRow& row) {
  impl_->Add(row, impl_->second, impl_->second_rows);
}

Shift ShiftFinder::Find() {
  impl_->Correlate();
  const Shift found = impl_->Peak();
  Shift none;
  none.reliable = false;
  if (!impl_->StandsOut(found)) return none;
  if (found.dx == 0 && found.dy == 0) return found;
  return impl_->Distance(found.dx, found.dy) < impl_->Distance(0, 0) ? found : none;
}

size_t ShiftFinder::PooledBytes(const PairShape& shape) {
  const auto side = static_cast<size_t>(SideFor(shape));
  return side * side * (2 * sizeof(float) + sizeof(std::complex<float>));
}

}  // namespace imgmill
