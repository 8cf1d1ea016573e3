// Plain loops over rows and vectors, whose sums run in one order: a choice is the same on every machine.
#include "frame_choice.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "base/try.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsAtOnce = 64;

ReadOptions BrightnessReading(bool allow_truncated) {
  ReadOptions reading;
  reading.allow_truncated = allow_truncated;
  reading.bands = ReadOptions::Bands::kGrey;
  reading.alpha = ReadOptions::Alpha::kDrop;
  reading.to_8bit = true;
  return reading;
}

ReadOptions VectorReading(bool allow_truncated) {
  ReadOptions reading;
  reading.allow_truncated = allow_truncated;
  reading.bands = ReadOptions::Bands::kRgb;
  reading.alpha = ReadOptions::Alpha::kFlattenWhite;
  reading.to_8bit = true;
  reading.shrink_to_side = ImageDescriptor::kShrinkToSide;
  return reading;
}

/// Sum of absolute differences.
template <typename T>
uint64_t DifferenceOf(const uint8_t* a, const uint8_t* b, size_t bytes) {
  const auto* left = reinterpret_cast<const T*>(a);
  const auto* right = reinterpret_cast<const T*>(b);
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes / sizeof(T); ++i)
    sum += static_cast<uint64_t>(std::abs(static_cast<int>(left[i]) - static_cast<int>(right[i])));
  return sum;
}

}  // namespace

Result<std::optional<double>> SceneChange::Next(FrameSource& frames) {
  Result<std::optional<double>> change = Compare(frames);
  if (!change) {  // part of its rows may stand where the frame before it was
    layout_ = {};
    last_difference_ = 0;
  }
  return change;
}

Result<std::optional<double>> SceneChange::Compare(FrameSource& frames) {
  std::unique_ptr<RowReader> rows = TRY(frames.Look(BrightnessReading(allow_truncated_)));
  const Layout& layout = rows->layout();
  const size_t row_bytes = layout.row_bytes();
  const bool comparable = layout == layout_;
  if (!comparable) {
    last_ = {};
    last_ = PoolArray<uint8_t>(row_bytes * static_cast<size_t>(layout.height));
    layout_ = layout;
  }
  const bool deep = layout.sample == Sample::kU16;
  PoolArray<uint8_t> strip(row_bytes * static_cast<size_t>(kRowsAtOnce));
  uint64_t difference = 0;
  for (int64_t y = 0; y < layout.height; y += kRowsAtOnce) {
    const int64_t count = std::min(kRowsAtOnce, layout.height - y);
    const size_t bytes = row_bytes * static_cast<size_t>(count);
    TRY(rows->Read(count, strip.data(), row_bytes));
    uint8_t* before = last_.data() + static_cast<size_t>(y) * row_bytes;
    if (comparable)
      difference += deep ? DifferenceOf<uint16_t>(strip.data(), before, bytes)
                         : DifferenceOf<uint8_t>(strip.data(), before, bytes);
    std::copy_n(strip.data(), bytes, before);
  }
  if (!comparable) return std::optional<double>();
  const double samples = static_cast<double>(layout.width) * static_cast<double>(layout.height);
  constexpr double kDeep = 256;
  const double mean = static_cast<double>(difference) / samples / (deep ? kDeep : 1);
  const double change = std::abs(mean - std::exchange(last_difference_, mean));
  constexpr double kMost = 100;
  return std::optional(std::min({mean, change, kMost}) / kMost);
}

Result<std::optional<double>> Novelty::Next(FrameSource& frames) {
  std::unique_ptr<RowReader> rows = TRY(frames.Look(VectorReading(allow_truncated_)));
  const Layout& layout = rows->layout();
  ImageDescriptor descriptor(layout);
  {
    Layout strip_layout = layout;
    strip_layout.height = std::min(layout.height, kRowsAtOnce);
    Image strip(strip_layout);
    for (int64_t y = 0; y < layout.height; y += kRowsAtOnce) {
      ImageView view = strip.view();
      view.layout.height = std::min(kRowsAtOnce, layout.height - y);
      TRY(rows->Read(view.layout.height, strip.row(0), layout.row_bytes()));
      descriptor.Add(view);
    }
  }
  if (own_.size() == 0) own_ = PoolArray<float>(ImageDescriptor::kLength);
  descriptor.Finish(std::span<float, ImageDescriptor::kLength>(own_.data(), ImageDescriptor::kLength));
  std::optional<double> nearest;
  for (size_t i = 0; i < kept_; ++i) {
    const float* other = blocks_[i / kInBlock].data() + i % kInBlock * ImageDescriptor::kLength;
    double cosine = 0;
    for (size_t k = 0; k < ImageDescriptor::kLength; ++k)
      cosine += static_cast<double>(own_[k]) * static_cast<double>(other[k]);
    nearest = std::min(nearest.value_or(2), 1 - cosine);
  }
  return nearest;
}

void Novelty::Keep() {
  if (kept_ % kInBlock == 0) blocks_.emplace_back(kInBlock * ImageDescriptor::kLength);
  std::copy_n(own_.data(), own_.size(), blocks_.back().data() + kept_ % kInBlock * ImageDescriptor::kLength);
  ++kept_;
}

/// Whether the frame is the first at or behind a multiple of the interval. In whole numbers: no fraction of a
/// second is rounded.
bool FrameChoice::IsDue(const FrameTime& time) {
  constexpr int64_t kMillion = 1000000;
  const int64_t ticks = time.has_ticks() ? time.at_ticks : time.at_us;
  const int64_t number = time.has_ticks() ? time.base_number : 1;
  const int64_t denominator = time.has_ticks() ? time.base_denominator : kMillion;
  if (!first_ticks_ || ticks < last_ticks_) {  // a clock that jumps back begins anew
    first_ticks_ = ticks;
    next_ = 0;
  }
  last_ticks_ = ticks;
  const __int128 passed = static_cast<__int128>(ticks - *first_ticks_) * number * kMillion;
  const __int128 interval =
      static_cast<__int128>(std::llround(*options_.every_seconds * kMillion)) * denominator;
  if (passed < next_ * interval) return false;
  next_ = static_cast<int64_t>(passed / interval) + 1;
  return true;
}

Result<bool> FrameChoice::Takes(const Frame& frame, FrameSource& frames) {
  if (frame.number % options_.every != 0) return false;
  if (options_.every_seconds && frame.time && !IsDue(*frame.time)) return false;
  if (options_.scene_change) {
    const std::optional<double> change = TRY(scenes_.Next(frames));
    if (change && *change <= *options_.scene_change) return false;
  }
  if (options_.novelty) {
    const std::optional<double> distance = TRY(novelty_.Next(frames));
    if (distance && *distance <= *options_.novelty) return false;
    novelty_.Keep();
  }
  return true;
}

Footprint FrameChoice::Cost(const FramesOptions& options, const ImageHeader& header, size_t frames) {
  Footprint need;
  if (!options.scene_change && !options.novelty) return need;
  const Layout layout = {header.width, header.height, header.bands, header.sample};
  // What is looked at is held whole by sources that give it once.
  if (header.format != ImageFormat::kVideo)
    need.pooled += layout.row_bytes() * static_cast<size_t>(layout.height);
  if (options.scene_change) {
    const Layout grey = {layout.width, layout.height + kRowsAtOnce, 1, layout.sample};
    need.pooled += grey.row_bytes() * static_cast<size_t>(grey.height);
  }
  if (options.novelty) {
    const Layout rgb = ReadLayout(header, VectorReading(/*allow_truncated=*/false));
    need.pooled += ImageDescriptor::PooledBytes(rgb) + rgb.row_bytes() * static_cast<size_t>(kRowsAtOnce) +
                   (frames + 1) * Novelty::kBytesKept;
  }
  return need;
}

}  // namespace imgmill
