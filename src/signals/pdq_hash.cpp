// The smoothing of PDQ as weights of each line's pixels, so that rows can come one by one.
#include "signals/pdq_hash.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace imgmill {
namespace {

constexpr size_t kFrequencies = 16;

/// The pixels whose mean a box filter gives at `at`.
struct Box {
  int64_t first = 0, last = 0;
  double share() const { return 1.0 / static_cast<double>(last - first + 1); }
};

int64_t BoxWidth(int64_t length) {
  return (length + 127) / 128;
}

// A box of an even width reaches farther to the right.
Box BoxAt(int64_t at, int64_t length) {
  const int64_t width = BoxWidth(length);
  const int64_t right = width / 2;
  return {std::max<int64_t>(0, at - (width - 1 - right)), std::min(length - 1, at + right)};
}

size_t SpanOf(int64_t length) {
  return static_cast<size_t>(2 * BoxWidth(length) - 1);
}

/// The coefficients of the frequencies 1 to 16 of 64 values.
using Waves = std::array<std::array<double, PdqPicture::kSide>, kFrequencies>;

const Waves& AllWaves() {
  static const Waves kWaves = [] {
    Waves waves;
    for (size_t i = 0; i < kFrequencies; ++i) {
      for (size_t j = 0; j < PdqPicture::kSide; ++j) {
        const auto turns = static_cast<double>((i + 1) * (2 * j + 1));
        waves[i][j] = std::sqrt(2.0 / PdqPicture::kSide) *
                      std::cos(std::numbers::pi / (2.0 * PdqPicture::kSide) * turns);
      }
    }
    return waves;
  }();
  return kWaves;
}

}  // namespace

PdqAxis::PdqAxis(int64_t length) : span_(SpanOf(length)), weights_(kValues * span_) {
  weights_.Fill(0);
  for (size_t place = 0; place < kValues; ++place) {
    const auto half_steps = static_cast<int64_t>(2 * place + 1);
    const Box outer = BoxAt(half_steps * length / static_cast<int64_t>(2 * kValues), length);
    first_[place] = BoxAt(outer.first, length).first;
    count_[place] = BoxAt(outer.last, length).last - first_[place] + 1;
    double* const weights = weights_.data() + place * span_;
    for (int64_t at = outer.first; at <= outer.last; ++at) {
      const Box inner = BoxAt(at, length);
      for (int64_t pixel = inner.first; pixel <= inner.last; ++pixel)
        weights[pixel - first_[place]] += outer.share() * inner.share();
    }
  }
}

size_t PdqAxis::PooledBytes(int64_t length) {
  return kValues * SpanOf(length) * sizeof(double);
}

PdqPicture::PdqPicture(const Layout& input)
    : input_(input), across_(input.width), down_(input.height), luma_(static_cast<size_t>(input.width)) {}

size_t PdqPicture::PooledBytes(const Layout& input) {
  return PdqAxis::PooledBytes(input.width) + PdqAxis::PooledBytes(input.height) +
         static_cast<size_t>(input.width) * sizeof(double);
}

void PdqPicture::Add(const ImageView& rows) {
  for (int64_t y = 0; y < rows.layout.height; ++y) AddRow(rows.row(y));
}

void PdqPicture::AddRow(const uint8_t* row) {
  const int64_t y = y_++;
  // Values lie closer than their spans are wide: a row counts for a few of them, or for none.
  std::array<size_t, kSide> places;
  size_t wanted = 0;
  for (size_t place = 0; place < kSide; ++place) {
    const PdqAxis::Value value = down_[place];
    if (y >= value.first && y < value.first + value.count) places[wanted++] = place;
  }
  if (wanted == 0) return;
  for (size_t x = 0; x < luma_.size(); ++x) {
    luma_[x] =
        input_.bands == 1 ? row[x] : 0.299 * row[3 * x] + 0.587 * row[3 * x + 1] + 0.114 * row[3 * x + 2];
  }
  std::array<double, kSide> line;
  for (size_t place = 0; place < kSide; ++place) {
    const PdqAxis::Value value = across_[place];
    const double* const from = luma_.data() + value.first;
    double sum = 0;
    for (int64_t i = 0; i < value.count; ++i) sum += value.weights[i] * from[i];
    line[place] = sum;
  }
  for (size_t i = 0; i < wanted; ++i) {
    const PdqAxis::Value value = down_[places[i]];
    const double weight = value.weights[y - value.first];
    double* const to = small_.data() + places[i] * kSide;
    for (size_t x = 0; x < kSide; ++x) to[x] += weight * line[x];
  }
}

Hash256 PdqBits(PdqPicture::Small small) {
  constexpr size_t kSide = PdqPicture::kSide;
  const Waves& waves = AllWaves();
  std::array<std::array<double, kSide>, kFrequencies> down{};
  for (size_t i = 0; i < kFrequencies; ++i) {
    for (size_t y = 0; y < kSide; ++y) {
      for (size_t x = 0; x < kSide; ++x) down[i][x] += waves[i][y] * small[y * kSide + x];
    }
  }
  std::array<double, kFrequencies * kFrequencies> strengths{};
  for (size_t i = 0; i < kFrequencies; ++i) {
    for (size_t j = 0; j < kFrequencies; ++j) {
      for (size_t x = 0; x < kSide; ++x) strengths[i * kFrequencies + j] += down[i][x] * waves[j][x];
    }
  }
  // Of the two in the middle the smaller one.
  auto sorted = strengths;
  const auto middle = sorted.begin() + sorted.size() / 2 - 1;
  std::nth_element(sorted.begin(), middle, sorted.end());
  Hash256 bits{};
  for (size_t k = 0; k < strengths.size(); ++k) bits[k / 64] |= uint64_t{strengths[k] > *middle} << (k % 64);
  return bits;
}

int PdqQuality(PdqPicture::Small small) {
  constexpr size_t kSide = PdqPicture::kSide;
  int sum = 0;
  const auto step = [&](double from, double to) {
    sum += std::abs(static_cast<int>((from - to) * 100 / 255));
  };
  for (size_t y = 0; y < kSide; ++y) {
    for (size_t x = 0; x < kSide; ++x) {
      const size_t at = y * kSide + x;
      if (y + 1 < kSide) step(small[at], small[at + kSide]);
      if (x + 1 < kSide) step(small[at], small[at + 1]);
    }
  }
  return std::min(100, sum / 90);
}

}  // namespace imgmill
