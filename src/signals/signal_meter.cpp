// Takes rows to luma and lets the kernels sum up what the wanted signals are made of.
#include <algorithm>
#include <cassert>
#include <cstring>

#include "imgmill/memory/pool_array.h"
#include "imgmill/signals/rounded_row.h"
#include "imgmill/signals/signal_set.h"
#include "signals/colour_count.h"
#include "signals/detail_meter.h"
#include "signals/noise_blocks.h"
#include "signals/row_kernels.h"
#include "signals/saturation_blocks.h"
#include "signals/signal_kernels.h"
#include "signals/signal_sums.h"
#include "signals/spectral_cutoff.h"
#include "signals/text_blocks.h"
#include "signals/used_depth.h"

namespace imgmill {
namespace {

constexpr size_t kLumaRows = 3;         // a 3x3 window's
constexpr int64_t kRowsPerFlush = 256;  // 256 steps of 255 fit 16 bits
// Counts of one level in 32 bits: rows of this many pixels in all before they are added up.
constexpr int64_t kPixelsPerFlush = int64_t{1} << 30;

bool NeedsRounding(const Layout& layout) {
  return layout.sample != Sample::kU8 || layout.has_alpha();
}

}  // namespace

struct SignalMeter::Impl {
  Impl(const Layout& image, SignalSet wanted_signals)
      : layout(image),
        wanted(wanted_signals),
        histogram(Wants({Signal::kBrightness, Signal::kContrast, Signal::kEntropy, Signal::kClippedDark,
                         Signal::kClippedBright, Signal::kDarkEnd, Signal::kBrightEnd})),
        colours(image.colour_bands() == 3 &&
                Wants({Signal::kColorfulness, Signal::kGrayscale, Signal::kColorCast})),
        needs_pixels(wanted_signals.NeedsPixels()),
        sharpness(Wants({Signal::kSharpness}) && image.width >= 3),
        blocks(Wants({Signal::kBlockiness, Signal::kJpegVisible})),
        luma(kLumaRows * static_cast<size_t>(image.width)) {
    assert(image.bands >= 1 && image.bands <= 4 && image.width >= 1);
    sums.width = image.width;
    if (NeedsRounding(image)) {
      rounded = PoolArray<uint8_t>(static_cast<size_t>(image.width * image.colour_bands()));
    }
    if (blocks) {
      columns = PoolArray<uint16_t>(static_cast<size_t>(image.width));
      columns.Fill(0);
      column_totals = PoolArray<uint64_t>(static_cast<size_t>(image.width));
      column_totals.Fill(0);
    }
    if (Wants({Signal::kNoise}) && image.width >= 3) noise.emplace(image.width);
    if (image.colour_bands() == 3 && Wants({Signal::kSaturation})) saturation.emplace(image.width);
    if (DetailMeter::IsWanted(wanted)) detail.emplace(image, wanted);
    if (Wants({Signal::kUniqueColors})) colour_count.emplace(image.colour_bands());
    if (Wants({Signal::kBitDepth})) depth.emplace(image);
    if (Wants({Signal::kUpscaled})) cutoff.emplace(image);
    if (Wants({Signal::kTextShare})) text.emplace(image.width, image.height);
  }

  bool Wants(std::initializer_list<Signal> signals) const {
    return std::any_of(signals.begin(), signals.end(), [&](Signal s) { return wanted.Contains(s); });
  }

  uint8_t* LumaRow(int64_t y) {
    return luma.data() +
           static_cast<size_t>(y % static_cast<int64_t>(kLumaRows)) * static_cast<size_t>(layout.width);
  }

  void AddRow(const uint8_t* row) {
    const int64_t y = sums.height++;
    if (!needs_pixels) return;
    if (depth) depth->Add(row);
    if (NeedsRounding(layout)) {
      RoundRow(row, layout, rounded.data());
      row = rounded.data();
    }
    if (colour_count) colour_count->Add(row, static_cast<size_t>(layout.width));
    uint8_t* here = LumaRow(y);
    if (layout.colour_bands() == 3) {
      AddColours(row, here, y);
    } else {
      std::memcpy(here, row, static_cast<size_t>(layout.width));
    }
    if (histogram) Count(here);
    if (detail) detail->Add(here);
    if (cutoff) cutoff->Add(here, y);
    if (text) text->Add(y > 0 ? LumaRow(y - 1) : here, here);
    if (blocks) AddSteps(y, here);
    if (y < 2) return;
    if (sharpness) AddWindows(LumaRow(y - 2), LumaRow(y - 1), here);
    if (noise && y % RowStep(layout) == 0) noise->Add(LumaRow(y - 2), LumaRow(y - 1), here);
  }

  void AddColours(const uint8_t* row, uint8_t* here, int64_t y) {
    const bool with_bends = colours && y % RowStep(layout) == 0;
    // Whole blocks of rows, or of tall images every second.
    const bool with_saturation = saturation && (RowStep(layout) == 1 || y % 8 < 4);
    alignas(32) int16_t planes[3 * kKernelRun];
    const auto width = static_cast<size_t>(layout.width);
    for (size_t x = 0; x < width; x += kKernelRun) {
      const size_t count = std::min(kKernelRun, width - x);
      split.split_rgb(row + 3 * x, count, planes, kKernelRun);
      const int16_t* red = planes;
      const int16_t* green = planes + kKernelRun;
      const int16_t* blue = planes + 2 * kKernelRun;
      kernels.luma(red, green, blue, count, here + x);
      if (with_saturation) saturation->Add(red, green, blue, x, count);
      if (!colours) continue;
      if (with_bends) {
        const ColourBends bends = kernels.bends(red, green, blue, count);
        sums.rg_bends += bends.rg;
        sums.yb2_bends += bends.yb2;
        sums.bends += count < 2 ? 0 : static_cast<int64_t>(count) - 2;
      }
      const ColourSums part = kernels.colour(red, green, blue, count);
      sums.rg += part.rg;
      sums.rg_squares += part.rg_squares;
      sums.yb2 += part.yb2;
      sums.yb2_squares += part.yb2_squares;
      sums.spread = std::max(sums.spread, part.spread);
    }
    if (with_saturation) saturation->EndRow();
  }

  // Four tables, since equal neighbours would wait for each other's count.
  void Count(const uint8_t* row) {
    const auto width = static_cast<size_t>(layout.width);
    size_t x = 0;
    for (; x + 4 <= width; x += 4) {
      for (size_t i = 0; i < 4; ++i) ++counts[i][row[x + i]];
    }
    for (; x < width; ++x) ++counts[0][row[x]];
    counted += layout.width;
    if (counted >= kPixelsPerFlush) FlushCounts();
  }

  void FlushCounts() {
    for (auto& table : counts) {
      for (size_t level = 0; level < table.size(); ++level) sums.histogram[level] += table[level];
      table.fill(0);
    }
    counted = 0;
  }

  void AddSteps(int64_t y, const uint8_t* here) {
    const auto width = static_cast<size_t>(layout.width);
    for (size_t x = 0; x + 1 < width; x += kKernelRun) {
      kernels.column_steps(here + x, std::min(kKernelRun, width - 1 - x), columns.data() + x);
    }
    if ((y + 1) % kRowsPerFlush == 0) FlushColumns();
    if (y == 0) return;
    const uint8_t* above = LumaRow(y - 1);
    uint64_t steps = 0;
    for (size_t x = 0; x < width; x += kKernelRun)
      steps += kernels.row_steps(above + x, here + x, std::min(kKernelRun, width - x));
    sums.row_steps[static_cast<size_t>(y % 8)] += steps;
    sums.row_grid.Add(steps);
  }

  void FlushColumns() {
    for (size_t x = 0; x < columns.size(); ++x) column_totals[x] += columns[x];
    columns.Fill(0);
  }

  void FinishColumns() {
    FlushColumns();
    for (size_t x = 0; x + 1 < column_totals.size(); ++x) {
      sums.column_steps[(x + 1) % 8] += column_totals[x];
      sums.column_grid.Add(column_totals[x]);
    }
  }

  void AddWindows(const uint8_t* above, const uint8_t* row, const uint8_t* below) {
    const auto windows = static_cast<size_t>(layout.width - 2);
    for (size_t x = 0; x < windows; x += kKernelRun) {
      const LaplacianSums part =
          kernels.laplacian(above + x, row + x, below + x, std::min(kKernelRun, windows - x));
      sums.laplacian += part.sum;
      sums.laplacian_squares += part.squares;
    }
  }

  void AddDetail(const DetailSums& found, SignalValues& all) const {
    all[Signal::kSpatialInformation] = SpatialInformation(found);
    all[Signal::kBlur] = Blur(found);
    all[Signal::kJpegVisible] = JpegVisible(found, sums);
    all[Signal::kLetterbox] = Letterbox(found);
    all[Signal::kBorder] = Border(found);
    all[Signal::kInterlacing] = Interlacing(found);
  }

  SignalValues Finish() {
    FlushCounts();
    if (blocks) FinishColumns();
    ImageHeader shape;
    shape.width = sums.width;
    shape.height = sums.height;
    shape.has_alpha = layout.has_alpha();
    SignalValues all = HeaderSignals(shape);
    all[Signal::kBytesPerPixel] = std::nullopt;
    all[Signal::kBrightness] = Brightness(sums);
    all[Signal::kContrast] = Contrast(sums);
    all[Signal::kEntropy] = Entropy(sums);
    all[Signal::kSharpness] = SharpnessOf(sums);
    if (noise && sums.height >= 3) all[Signal::kNoise] = noise->Finish();
    all[Signal::kBlockiness] = Blockiness(sums);
    all[Signal::kColorfulness] = Colorfulness(sums);
    all[Signal::kGrayscale] = Grayscale(sums);
    all[Signal::kClippedDark] = ClippedDark(sums);
    all[Signal::kClippedBright] = ClippedBright(sums);
    all[Signal::kDarkEnd] = LumaPercentile(sums, 5);
    all[Signal::kBrightEnd] = LumaPercentile(sums, 99);
    all[Signal::kSaturation] = saturation ? saturation->Finish() : 0;
    all[Signal::kColorCast] = ColorCast(sums);
    if (colour_count) all[Signal::kUniqueColors] = colour_count->found();
    if (cutoff) all[Signal::kUpscaled] = cutoff->Excess();
    if (text) all[Signal::kTextShare] = text->Finish();
    if (depth) {
      if (const std::optional<int> bits = depth->bits()) all[Signal::kBitDepth] = *bits;
    }
    if (detail) AddDetail(detail->Finish(), all);
    SignalValues values;
    for (const SignalInfo& info : AllSignals()) {
      if (wanted.Contains(info.signal)) values[info.signal] = all[info.signal];
    }
    return values;
  }

  const Layout layout;
  const SignalSet wanted;
  // What the wanted signals are made of.
  const bool histogram;
  const bool colours;
  const bool needs_pixels;
  const bool sharpness;
  const bool blocks;
  const RowKernels& split = BestRowKernels();
  const SignalKernels& kernels = BestSignalKernels();

  PoolArray<uint8_t> luma;
  PoolArray<uint8_t> rounded;
  PoolArray<uint16_t> columns;  // steps since the last flush, by the pixel before the step
  PoolArray<uint64_t> column_totals;
  std::array<std::array<uint32_t, 256>, 4> counts = {};
  int64_t counted = 0;
  SignalSums sums;
  std::optional<NoiseBlocks> noise;
  std::optional<SaturationBlocks> saturation;
  std::optional<DetailMeter> detail;
  std::optional<ColourCount> colour_count;
  std::optional<UsedDepth> depth;
  std::optional<SpectralCutoff> cutoff;
  std::optional<TextBlocks> text;
};

SignalMeter::SignalMeter(const Layout& layout, SignalSet wanted) : impl_(new Impl(layout, wanted)) {}
SignalMeter::~SignalMeter() = default;

void SignalMeter::Add(const ImageView& rows) {
  for (int64_t y = 0; y < rows.layout.height; ++y) impl_->AddRow(rows.row(y));
}

SignalValues SignalMeter::Finish() {
  return impl_->Finish();
}

size_t SignalMeter::PooledBytes(const Layout& layout) {
  const auto width = static_cast<size_t>(layout.width);
  const size_t rounded = NeedsRounding(layout) ? width * static_cast<size_t>(layout.colour_bands()) : 0;
  return kLumaRows * width + (sizeof(uint16_t) + sizeof(uint64_t)) * width + rounded +
         DetailMeter::PooledBytes(layout) + NoiseBlocks::PooledBytes(layout.width) +
         SaturationBlocks::PooledBytes(layout.width) + ColourCount::PooledBytes() +
         TextBlocks::PooledBytes(layout.width, layout.height);
}

SignalValues MeasureSignals(const ImageView& image, SignalSet wanted) {
  SignalMeter meter(image.layout, wanted);
  meter.Add(image);
  return meter.Finish();
}

}  // namespace imgmill
