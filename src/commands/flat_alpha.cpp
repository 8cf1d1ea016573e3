// One pass over the columns of a row: a run of columns that are each the same over the rows around it.
#include "flat_alpha.h"

#include <algorithm>

namespace imgmill {
namespace {

template <typename T>
class Alpha {
 public:
  explicit Alpha(const ImageView& view) : view_(view) {}

  T At(int64_t y, int64_t x) const {
    return reinterpret_cast<const T*>(view_.row(y))[(x + 1) * view_.layout.bands - 1];
  }
  /// Whether a column is the same from row `first` to `last`.
  bool IsSame(int64_t x, int64_t first, int64_t last) const {
    const T value = At(first, x);
    for (int64_t y = first + 1; y <= last; ++y) {
      if (At(y, x) != value) return false;
    }
    return true;
  }

 private:
  const ImageView& view_;
};

template <typename T>
void Keep(const Region& region, int64_t scale, const RowTarget& band) {
  const Alpha<T> from(region.view);
  const int64_t width = region.view.layout.width;
  const int64_t height = region.view.layout.height;
  const auto keep = [&](int64_t row, int64_t x, T value) {
    for (int64_t y = row * scale; y < (row + 1) * scale; ++y) {
      T* pixels = reinterpret_cast<T*>(band.row(y));
      for (int64_t column = x * scale; column < (x + 1) * scale; ++column)
        pixels[(column + 1) * band.layout.bands - 1] = value;
    }
  };
  for (int64_t row = 0; row < region.own_rows; ++row) {
    const int64_t y = region.context_above + row;
    const int64_t first = std::max<int64_t>(0, y - kFlatReach);
    const int64_t last = std::min(height - 1, y + kFlatReach);
    int64_t next = 0;  // pixel whose neighbours on its right are still to come
    int64_t run = 0;   // first column of those that are all the same
    for (int64_t x = 0; x < width; ++x) {
      const bool same = from.IsSame(x, first, last);
      if (!same) {
        run = x + 1;
      } else if (run < x && from.At(y, x) != from.At(y, x - 1)) {
        run = x;
      }
      // At the right border, all that wait there.
      for (; next < width && (x == width - 1 || next + kFlatReach <= x); ++next) {
        if (run <= std::max<int64_t>(0, next - kFlatReach)) keep(row, next, from.At(y, next));
      }
    }
  }
}

template <typename T>
bool IsFlat(const ImageView& view, int64_t x, int64_t width) {
  const Alpha<T> alpha(view);
  const T value = alpha.At(0, x);
  for (int64_t y = 0; y < view.layout.height; ++y) {
    for (int64_t column = x; column < x + width; ++column) {
      if (alpha.At(y, column) != value) return false;
    }
  }
  return true;
}

}  // namespace

void KeepFlatAlpha(const Region& region, int64_t scale, const RowTarget& band) {
  if (!region.view.layout.has_alpha()) return;
  switch (region.view.layout.sample) {
    case Sample::kU8:
      return Keep<uint8_t>(region, scale, band);
    case Sample::kU16:
      return Keep<uint16_t>(region, scale, band);
    case Sample::kF32:
      return Keep<float>(region, scale, band);
  }
}

bool IsAlphaFlat(const ImageView& view, int64_t x, int64_t width) {
  switch (view.layout.sample) {
    case Sample::kU8:
      return IsFlat<uint8_t>(view, x, width);
    case Sample::kU16:
      return IsFlat<uint16_t>(view, x, width);
    case Sample::kF32:
      return IsFlat<float>(view, x, width);
  }
  return false;
}

}  // namespace imgmill
