// Three layers over a table of weights that training/text_share.py wrote.
#include "signals/text_network.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace imgmill {
namespace {

constexpr size_t kFirst = TextNetwork::kFirst, kSecond = TextNetwork::kSecond;
constexpr size_t kAround = 9;  // cells of 3x3
constexpr size_t kAtOnce = 8;  // cells that a layer reads and writes
constexpr size_t kMargin = 1;  // cells left of a row
constexpr float kUnit = 1.0F / 1024;

/// In units; of each layer the bias, and a row of weights for each value that it takes: of 3x3 cells from the
/// top left on, all values of one after the other's.
constexpr int16_t kTable[] = {
#include "signals/text_weights.inc"
};
constexpr size_t kFirstAt = 0, kSecondAt = kFirstAt + (1 + kCellFeatures) * kFirst,
                 kLastAt = kSecondAt + (1 + kAround * kFirst) * kSecond,
                 kWeights = kLastAt + 1 + kAround * kSecond;
static_assert(std::size(kTable) == kWeights);

constexpr std::array<float, kWeights> kLearned = [] {
  std::array<float, kWeights> weights = {};
  for (size_t i = 0; i < kWeights; ++i) weights[i] = static_cast<float>(kTable[i]) * kUnit;
  return weights;
}();

constexpr TextLayer LayerAt(size_t at, size_t taken, size_t given, bool rectified) {
  return {taken, given, kLearned.data() + at, kLearned.data() + at + given, rectified};
}
constexpr TextLayer kFirstLayer = LayerAt(kFirstAt, kCellFeatures, kFirst, true);
constexpr TextLayer kSecondLayer = LayerAt(kSecondAt, kAround* kFirst, kSecond, true);
constexpr TextLayer kLastLayer = LayerAt(kLastAt, kAround* kSecond, 1, false);

constexpr size_t StrideOf(size_t cells) {
  return kMargin + (cells + kAtOnce) / kAtOnce * kAtOnce + kAtOnce;
}

/// The values of 3x3 cells around those of the middle row.
template <size_t Values>
std::array<const float*, kAround * Values> Around(const std::array<PoolArray<float>, 3>& rows,
                                                  size_t stride) {
  std::array<const float*, kAround * Values> found;
  for (size_t i = 0; i < kAround; ++i) {
    for (size_t k = 0; k < Values; ++k) found[i * Values + k] = rows[i / 3].data() + k * stride + i % 3;
  }
  return found;
}

template <size_t Values>
std::array<float*, Values> Inside(PoolArray<float>& row, size_t stride) {
  std::array<float*, Values> found;
  for (size_t k = 0; k < Values; ++k) found[k] = row.data() + k * stride + kMargin;
  return found;
}

/// A layer writes a few cells too many.
template <size_t Values>
void ClearEnd(PoolArray<float>& row, size_t stride, size_t cells) {
  for (float* values : Inside<Values>(row, stride)) std::fill_n(values + cells, kAtOnce, 0.0F);
}

void Shift(std::array<PoolArray<float>, 3>& rows) {
  std::swap(rows[0], rows[1]);
  std::swap(rows[1], rows[2]);
}

PoolArray<float> Zeros(size_t size) {
  PoolArray<float> made(size);
  made.Fill(0);
  return made;
}

}  // namespace

TextNetwork::TextNetwork(size_t cells)
    : cells_(cells),
      stride_(StrideOf(cells)),
      features_(Zeros(kCellFeatures * stride_)),
      verdicts_(Zeros(stride_)) {
  for (PoolArray<float>& row : first_) row = Zeros(kFirst * stride_);
  for (PoolArray<float>& row : second_) row = Zeros(kSecond * stride_);
}

// Each layer sees a row of the layer before once that below it is there, too.
void TextNetwork::AddRow() {
  std::array<const float*, kCellFeatures> features;
  for (size_t i = 0; i < kCellFeatures; ++i) features[i] = Feature(i);
  kernels_.layer(kFirstLayer, features.data(), cells_, Inside<kFirst>(first_[2], stride_).data());
  ClearEnd<kFirst>(first_[2], stride_, cells_);
  ++rows_;
  if (rows_ >= 2) EndSecond(rows_ >= 3);
  Shift(first_);
}

void TextNetwork::EndSecond(bool has_row_above) {
  kernels_.layer(kSecondLayer, Around<kFirst>(first_, stride_).data(), cells_,
                 Inside<kSecond>(second_[2], stride_).data());
  ClearEnd<kSecond>(second_[2], stride_, cells_);
  if (has_row_above) Judge();
  Shift(second_);
}

void TextNetwork::Judge() {
  float* verdicts = verdicts_.data();
  kernels_.layer(kLastLayer, Around<kSecond>(second_, stride_).data(), cells_, &verdicts);
  text_ += static_cast<uint64_t>(std::count_if(verdicts, verdicts + cells_, [](float v) { return v > 0; }));
}

uint64_t TextNetwork::Finish() {
  if (rows_ == 0) return 0;
  first_[2].Fill(0);
  EndSecond(rows_ >= 2);
  second_[2].Fill(0);
  Judge();
  return text_;
}

size_t TextNetwork::PooledBytes(size_t cells) {
  return (kCellFeatures + 1 + 3 * (kFirst + kSecond)) * StrideOf(cells) * sizeof(float);
}

}  // namespace imgmill
