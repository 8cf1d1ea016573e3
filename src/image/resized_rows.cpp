// Resizing as a stream: each source row is resized across once, kept in a ring of as many rows as the kernel
// spans, and summed downwards. (libvips would do lanczos only when shrinking: enlarging, it interpolates.)
#include <algorithm>
#include <cmath>

#include "base/try.h"
#include "base/usage_error.h"
#include "imgmill/image/kernel_names.h"
#include "imgmill/image/reduced_rows.h"
#include "imgmill/image/writer.h"
#include "imgmill/memory/out_of_memory.h"
#include "resample.h"

namespace imgmill {
namespace {

int64_t ScaledSide(int64_t side, double scale) {
  return std::max<int64_t>(1, std::llround(static_cast<double>(side) * scale));
}

class ResizedRows final : public RowReader {
 public:
  /// @param from  the upper left part of the rows that is resized
  ResizedRows(std::unique_ptr<RowReader> rows, const Layout& from, int64_t width, int64_t height,
              Kernel kernel)
      : rows_(std::move(rows)), source_(from), layout_(from) {
    layout_.width = width;
    layout_.height = height;
    across_ = MakeTaps(source_.width, layout_.width, kernel);
    down_ = MakeTaps(source_.height, layout_.height, kernel);
    // Nearest picks pixels: what lies under full transparency is picked too.
    premultiply_ = source_.has_alpha() && kernel != Kernel::kNearest;
    ring_rows_ = down_.most + 1;
    const size_t samples = static_cast<size_t>(layout_.width * layout_.bands);
    ring_ = Buffer(static_cast<size_t>(ring_rows_) * samples * sizeof(float));
    sum_ = Buffer(samples * sizeof(float));
    input_ = Buffer(rows_->layout().row_bytes());
    floats_ = Buffer(static_cast<size_t>(source_.width * source_.bands) * sizeof(float));
  }

  const Layout& layout() const override { return layout_; }
  const std::vector<std::string>& notes() const override { return rows_->notes(); }
  int shrink() const override { return rows_->shrink(); }

  Status Read(int64_t rows, uint8_t* destination, size_t stride) override {
    if (rows > layout_.height - next_row_) {
      return Error{Stage::kDecode, Code::kInternal, "rows beyond the end were asked for"};
    }
    for (int64_t i = 0; i < rows; ++i, ++next_row_, destination += stride) {
      const size_t y = static_cast<size_t>(next_row_);
      while (taken_ < down_.first[y] + down_.count[y]) {
        TRY(TakeRow());
      }
      SumDown(y);
      Store(destination);
    }
    return next_row_ == layout_.height ? PassRest() : Status{};
  }

 private:
  /// Rows that no output row is made of, such as those that are cropped, may be damaged, too.
  Status PassRest() {
    for (; taken_ < rows_->layout().height; ++taken_) TRY(rows_->Read(1, input_.data(), input_.size()));
    return {};
  }

  float* RingRow(int64_t y) { return Floats(ring_) + (y % ring_rows_) * layout_.width * layout_.bands; }
  static float* Floats(Buffer& buffer) { return reinterpret_cast<float*>(buffer.data()); }
  float Full() const {
    return source_.sample == Sample::kU8 ? 255.0F : source_.sample == Sample::kU16 ? 65535.0F : 1.0F;
  }

  // The next source row, resized across, into the ring.
  Status TakeRow() {
    TRY(rows_->Read(1, input_.data(), input_.size()));
    const int64_t samples = source_.width * source_.bands;
    float* in = Floats(floats_);
    if (source_.sample == Sample::kU8) {
      std::copy_n(input_.data(), samples, in);
    } else if (source_.sample == Sample::kU16) {
      std::copy_n(reinterpret_cast<const uint16_t*>(input_.data()), samples, in);
    } else {
      std::copy_n(reinterpret_cast<const float*>(input_.data()), samples, in);
    }
    if (premultiply_) {
      const int colours = source_.colour_bands();
      for (float* pixel = in; pixel != in + samples; pixel += source_.bands) {
        for (int c = 0; c < colours; ++c) pixel[c] *= pixel[colours] / Full();
      }
    }
    switch (source_.bands) {
      case 1:
        Across<1>(in, RingRow(taken_));
        break;
      case 2:
        Across<2>(in, RingRow(taken_));
        break;
      case 3:
        Across<3>(in, RingRow(taken_));
        break;
      default:
        Across<4>(in, RingRow(taken_));
    }
    ++taken_;
    return {};
  }

  template <int kBands>
  void Across(const float* in, float* out) const {
    for (size_t x = 0; x < across_.first.size(); ++x, out += kBands) {
      const float* weight = across_.weights.data() + x * static_cast<size_t>(across_.most);
      const float* pixel = in + across_.first[x] * kBands;
      float sum[kBands] = {};
      for (int64_t i = 0; i < across_.count[x]; ++i, pixel += kBands) {
        for (int b = 0; b < kBands; ++b) sum[b] += weight[i] * pixel[b];
      }
      std::copy_n(sum, kBands, out);
    }
  }

  void SumDown(size_t y) {
    float* sum = Floats(sum_);
    const int64_t samples = layout_.width * layout_.bands;
    std::fill_n(sum, samples, 0.0F);
    for (int64_t i = 0; i < down_.count[y]; ++i) {
      const float weight = down_.weights[y * static_cast<size_t>(down_.most) + static_cast<size_t>(i)];
      const float* row = RingRow(down_.first[y] + i);
      for (int64_t s = 0; s < samples; ++s) sum[s] += weight * row[s];
    }
    if (!premultiply_) return;
    const int colours = layout_.colour_bands();
    for (float* pixel = sum; pixel != sum + samples; pixel += layout_.bands) {
      const float alpha = pixel[colours] / Full();
      // Below half a level of 16 bits there is no colour to recover. Alpha that rings above 1 divides as it
      // is: the colours rang along with it.
      const float factor = alpha > 1e-5F ? 1 / alpha : 0;
      for (int c = 0; c < colours; ++c) pixel[c] *= factor;
    }
  }

  void Store(uint8_t* to) {
    const float* sum = Floats(sum_);
    const int64_t samples = layout_.width * layout_.bands;
    if (source_.sample == Sample::kF32) {
      std::copy_n(sum, samples, reinterpret_cast<float*>(to));
      return;
    }
    const float full = Full();
    for (int64_t s = 0; s < samples; ++s) {
      const float value = std::clamp(sum[s], 0.0F, full) + 0.5F;
      if (source_.sample == Sample::kU8) {
        to[s] = static_cast<uint8_t>(value);
      } else {
        reinterpret_cast<uint16_t*>(to)[s] = static_cast<uint16_t>(value);
      }
    }
  }

  std::unique_ptr<RowReader> rows_;
  Layout source_;
  Layout layout_;
  Taps across_;
  Taps down_;
  bool premultiply_ = false;
  int64_t ring_rows_ = 0;
  int64_t taken_ = 0;
  int64_t next_row_ = 0;
  Buffer ring_;
  Buffer sum_;
  Buffer input_;
  Buffer floats_;
};

/// @param crop  multiples of these are taken of each side
Result<std::unique_ptr<RowReader>> OpenPart(const std::string& path, const ImageHeader& header,
                                            const ReadOptions& options, int64_t crop, int64_t width,
                                            int64_t height, const std::string& kernel) {
  const std::optional<Kernel> which = KernelFromName(kernel);
  if (!which) {
    std::string names;
    for (const std::string& each : kKernelNames) names += (names.empty() ? "" : ", ") + each;
    return UsageError("unknown kernel \"" + kernel + "\" (" + names + ")");
  }
  Result<std::unique_ptr<RowReader>> rows = OpenRows(path, header, options);
  if (!rows) return rows;
  Layout from = (*rows)->layout();
  for (int64_t* side : {&from.width, &from.height}) *side -= *side > crop ? *side % crop : 0;
  try {
    return std::unique_ptr<RowReader>(
        std::make_unique<ResizedRows>(*std::move(rows), from, width, height, *which));
  } catch (const OutOfMemory& refusal) {
    return Error{Stage::kDecode, Code::kOutOfMemory, refusal.what()};
  }
}

}  // namespace

Result<std::unique_ptr<RowReader>> OpenRowsOfSize(const std::string& path, const ImageHeader& header,
                                                  const ReadOptions& options, int64_t width, int64_t height,
                                                  const std::string& kernel) {
  return OpenPart(path, header, options, 1, width, height, kernel);
}

int64_t ReducedSide(int64_t side, int divisor) {
  return std::max<int64_t>(1, side / divisor);
}

Result<std::unique_ptr<RowReader>> OpenReducedRows(const std::string& path, const ImageHeader& header,
                                                   const ReadOptions& options, int divisor,
                                                   const std::string& kernel) {
  const Layout from = ReadLayout(header, options);
  return OpenPart(path, header, options, divisor, ReducedSide(from.width, divisor),
                  ReducedSide(from.height, divisor), kernel);
}

Result<std::unique_ptr<RowReader>> OpenResizedRows(const std::string& path, const ImageHeader& header,
                                                   const ReadOptions& options, double scale,
                                                   const std::string& kernel) {
  if (!(scale > 0) || !std::isfinite(scale)) {
    return UsageError("a scale must be a number above 0");
  }
  const Layout from = ReadLayout(header, options);
  return OpenRowsOfSize(path, header, options, ScaledSide(from.width, scale), ScaledSide(from.height, scale),
                        kernel);
}

Footprint ResizeFootprint(const ImageHeader& header, const ReadOptions& options, int64_t to_width,
                          int64_t to_height) {
  const Layout from = ReadLayout(header, options);
  const auto width = static_cast<double>(to_width);
  const auto height = static_cast<double>(to_height);
  const double shrink =
      std::max(static_cast<double>(from.width) / width, static_cast<double>(from.height) / height);
  const double span = std::ceil(3 * std::max(1.0, shrink)) * 2 + 3;  // lanczos3, the widest
  const double bands = static_cast<double>(from.bands);
  Footprint own;
  own.pooled = static_cast<size_t>(width * bands * 4 * span) +
               static_cast<size_t>(from.width * from.bands) * 4 + from.row_bytes();
  own.untracked = static_cast<size_t>((width + height) * (span * 4 + 16));  // the weights
  return ReadFootprint(header, options) + own;
}

Footprint ResizeFootprint(const ImageHeader& header, const ReadOptions& options, double scale) {
  const Layout from = ReadLayout(header, options);
  return ResizeFootprint(header, options, ScaledSide(from.width, scale), ScaledSide(from.height, scale));
}

}  // namespace imgmill
