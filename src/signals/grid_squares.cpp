#include "signals/grid_squares.h"

#include <algorithm>
#include <cstring>

namespace imgmill {
namespace {

constexpr size_t kBands = 3;

}  // namespace

std::vector<GridSquares::Axis> GridSquares::Axes(const ModelInput& input, int64_t length, int64_t shorter) {
  const double factor = shorter <= input.side ? (input.side + 1.0) / static_cast<double>(shorter) : 1;
  const auto enlarged = static_cast<int64_t>(static_cast<double>(length) * factor);
  const int64_t step = (enlarged - input.side) / input.grid;
  const auto ratio = static_cast<float>(1 / factor);
  std::vector<Axis> axes(static_cast<size_t>(input.grid));
  for (size_t i = 0; i < axes.size(); ++i) {
    Axis& axis = axes[i];
    for (int64_t place = 0; place < input.side; ++place) {
      // In float, as PyTorch has it: which pixels are far along the image depends on it.
      const auto centre = static_cast<float>(static_cast<int64_t>(i) * step + place) + 0.5F;
      const float at = factor > 1 ? std::max(ratio * centre - 0.5F, 0.0F) : centre - 0.5F;
      const int64_t below = std::min(static_cast<int64_t>(at), length - 1);
      if (place == 0) axis.first = below;
      const int64_t above = std::min(below + 1, length - 1);
      axis.below.push_back(static_cast<int>(below - axis.first));
      axis.above.push_back(static_cast<int>(above - axis.first));
      axis.share.push_back(std::clamp(at - static_cast<float>(below), 0.0F, 1.0F));
      axis.length = above - axis.first + 1;
    }
  }
  return axes;
}

GridSquares::GridSquares(const ModelInput& input, const Layout& layout)
    : input_(input),
      across_(Axes(input, layout.width, std::min(layout.width, layout.height))),
      down_(Axes(input, layout.height, std::min(layout.width, layout.height))) {
  for (const Axis& down : down_) {
    for (const Axis& across : across_)
      squares_.emplace_back(static_cast<size_t>(down.length * across.length) * kBands);
  }
}

uint8_t* GridSquares::Row(size_t down, size_t across, int64_t y) {
  return squares_[down * across_.size() + across].data() +
         static_cast<size_t>(y * across_[across].length) * kBands;
}

void GridSquares::Add(const ImageView& rows) {
  for (int64_t i = 0; i < rows.layout.height; ++i, ++next_row_) {
    const uint8_t* row = rows.row(i);
    for (size_t down = 0; down < down_.size(); ++down) {
      const int64_t y = next_row_ - down_[down].first;
      if (y < 0 || y >= down_[down].length) continue;
      for (size_t across = 0; across < across_.size(); ++across) {
        const Axis& seen = across_[across];
        std::memcpy(Row(down, across, y), row + static_cast<size_t>(seen.first) * kBands,
                    static_cast<size_t>(seen.length) * kBands);
      }
    }
  }
}

void GridSquares::Finish(float* planes) {
  const auto side = static_cast<size_t>(input_.side);
  for (size_t square = 0; square < squares_.size(); ++square) {
    const size_t i = square / across_.size(), j = square % across_.size();
    const Axis& down = down_[i];
    const Axis& across = across_[j];
    for (size_t plane = 0; plane < kBands; ++plane) {
      const size_t band = input_.bgr ? kBands - 1 - plane : plane;
      for (size_t y = 0; y < side; ++y) {
        const uint8_t* upper = Row(i, j, down.below[y]) + band;
        const uint8_t* lower = Row(i, j, down.above[y]) + band;
        for (size_t x = 0; x < side; ++x) {
          const auto left = static_cast<size_t>(across.below[x]) * kBands;
          const auto right = static_cast<size_t>(across.above[x]) * kBands;
          const float share = across.share[x];
          const auto between = [&](const uint8_t* row) {
            return (1 - share) * static_cast<float>(row[left]) + share * static_cast<float>(row[right]);
          };
          const float value = (1 - down.share[y]) * between(upper) + down.share[y] * between(lower);
          *planes++ = value * input_.scale[plane] + input_.shift[plane];
        }
      }
    }
  }
}

size_t GridSquares::PooledBytes(const ModelInput& input) {
  // An enlarged one is made of fewer pixels; one more is seen beside the last.
  const auto side = static_cast<size_t>(input.side) + 2;
  return static_cast<size_t>(input.Squares()) * side * side * kBands;
}

}  // namespace imgmill
