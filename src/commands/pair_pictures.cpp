// Sums over the pixels of one row of cells at a time.
#include "pair_pictures.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/try.h"
#include "imgmill/image/encoder.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {
namespace {

const WriteOptions kWriting{.format = FileFormat::kJpeg, .quality = 85};

int64_t Shrunk(int64_t side, const PairShape& shape) {
  const int64_t longest = std::max(shape.width, shape.height);
  if (longest <= PairPictures::kLongSide) return side;
  return std::max<int64_t>(1, side * PairPictures::kLongSide / longest);
}

Layout PictureLayout(const PairShape& shape) {
  return {Shrunk(shape.width, shape), Shrunk(shape.height, shape), 3, Sample::kU8};
}

uint8_t ToByte(double value) {
  return static_cast<uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
}

/// From black over blue, red and yellow to white, equal steps of brightness to the eye.
void HeatColour(double heat, uint8_t* rgb) {
  constexpr double kStops[][3] = {{0, 0, 8}, {62, 15, 114}, {182, 54, 121}, {251, 136, 97}, {252, 253, 191}};
  const double at = std::clamp(heat, 0.0, 1.0) * 4;
  const auto stop = std::min<size_t>(3, static_cast<size_t>(at));
  const double part = at - static_cast<double>(stop);
  for (size_t c = 0; c < 3; ++c)
    rgb[c] = ToByte(kStops[stop][c] + part * (kStops[stop + 1][c] - kStops[stop][c]));
}

Result<std::string> Encode(const Image& picture) {
  std::unique_ptr<ImageEncoder> encoder = TRY(ImageEncoder::Create(picture.layout(), kWriting, {}));
  std::vector<const uint8_t*> rows;
  for (int64_t y = 0; y < picture.layout().height; ++y) rows.push_back(picture.row(y));
  const std::span<const uint8_t> bytes = TRY(encoder->Encode(rows));
  return std::string(bytes.begin(), bytes.end());
}

constexpr size_t kSums = 7;  // three colours of each, and the difference

}  // namespace

struct PairPictures::Impl {
  explicit Impl(const PairShape& its_shape)
      : shape(its_shape),
        layout(PictureLayout(shape)),
        pictures{Image(layout), Image(layout), Image(layout)},
        sums(static_cast<size_t>(layout.width) * kSums),
        cell_of(static_cast<size_t>(shape.width)) {
    sums.Fill(0);
    for (int64_t x = 0; x < shape.width; ++x)
      cell_of[static_cast<size_t>(x)] = static_cast<uint32_t>(x * layout.width / shape.width);
  }

  void EndRowOfCells(int64_t cell_y, int64_t rows) {
    const double to_8bit = 255 / shape.peak;
    for (int64_t cell = 0; cell < layout.width; ++cell) {
      double* const sum = sums.data() + static_cast<size_t>(cell) * kSums;
      const int64_t first = (cell * shape.width + layout.width - 1) / layout.width;
      const int64_t end = ((cell + 1) * shape.width + layout.width - 1) / layout.width;
      const double factor = to_8bit / static_cast<double>(rows * (end - first));
      for (size_t c = 0; c < 3; ++c) {
        pictures[0].row(cell_y)[cell * 3 + static_cast<int64_t>(c)] = ToByte(sum[c] * factor);
        pictures[1].row(cell_y)[cell * 3 + static_cast<int64_t>(c)] = ToByte(sum[3 + c] * factor);
      }
      // The root lets small differences be seen beside large ones.
      HeatColour(std::sqrt(sum[6] * factor / kBrightest), pictures[2].row(cell_y) + cell * 3);
    }
    sums.Fill(0);
  }

  const PairShape shape;
  const Layout layout;
  std::array<Image, 3> pictures;
  PoolArray<double> sums;  ///< of the row of cells in work
  PoolArray<uint32_t> cell_of;
  int64_t y = 0, rows_in_cell = 0;
};

PairPictures::PairPictures(const PairShape& shape) : impl_(std::make_unique<Impl>(shape)) {}
PairPictures::~PairPictures() = default;
PairPictures::PairPictures(PairPictures&&) noexcept = default;

void PairPictures::Add(const PlaneRow& a, const PlaneRow& b) {
  Impl& here = *impl_;
  const auto width = static_cast<size_t>(here.shape.width);
  const bool grey = here.shape.colours == 1;
  for (size_t x = 0; x < width; ++x) {
    double* const sum = here.sums.data() + here.cell_of[x] * kSums;
    double largest = 0;
    for (size_t c = 0; c < 3; ++c) {
      const double one = static_cast<double>(a.planes[grey ? 0 : c][x]);
      const double other = static_cast<double>(b.planes[grey ? 0 : c][x]);
      sum[c] += one;
      sum[3 + c] += other;
      largest = std::max(largest, std::fabs(one - other));
    }
    sum[6] += largest;
  }
  ++here.rows_in_cell;
  const int64_t cell = here.y * here.layout.height / here.shape.height;
  ++here.y;
  if (here.y < here.shape.height && here.y * here.layout.height / here.shape.height == cell) return;
  here.EndRowOfCells(cell, here.rows_in_cell);
  here.rows_in_cell = 0;
}

Result<PairPictureFiles> PairPictures::Finish() {
  PairPictureFiles files;
  for (size_t i = 0; i < files.size(); ++i) {
    std::string jpeg = TRY(Encode(impl_->pictures[i]));
    files[i] = std::move(jpeg);
  }
  return files;
}

Footprint PairPictures::Cost(const PairShape& shape) {
  const Layout layout = PictureLayout(shape);
  const size_t pixels = static_cast<size_t>(layout.width * layout.height);
  Footprint cost = EncodeFootprint(layout, kWriting);
  cost.pooled += 3 * 3 * pixels + static_cast<size_t>(layout.width) * kSums * sizeof(double) +
                 static_cast<size_t>(shape.width) * sizeof(uint32_t);
  cost.untracked += 3 * 3 * pixels;  // the files, no larger than that
  return cost;
}

}  // namespace imgmill
