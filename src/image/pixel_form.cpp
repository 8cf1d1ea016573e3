// Depth first, then flattening, then luma: the order in which Pillow users do it, so that kGrey of an 8-bit
// image equals convert("L") to the bit.
#include "pixel_form.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/try.h"
#include "over_white.h"

namespace imgmill {
namespace {

constexpr int64_t kStripRows = 16;

// ITU-R 601-2 luma with Pillow's 16-bit weights and rounding.
template <typename T>
T Luma(T r, T g, T b) {
  if constexpr (std::is_same_v<T, float>) {
    return 0.299F * r + 0.587F * g + 0.114F * b;
  } else {
    return static_cast<T>((r * uint64_t{19595} + g * uint64_t{38470} + b * uint64_t{7471} + 0x8000) >> 16);
  }
}

template <typename T>
void ConvertBands(const T* from, int from_bands, const ReadOptions& options, T* to, int to_bands,
                  int64_t width) {
  const bool has_alpha = from_bands == 2 || from_bands == 4;
  const bool keeps_alpha = to_bands == 2 || to_bands == 4;
  const int from_colours = from_bands - (has_alpha ? 1 : 0);
  const int to_colours = to_bands - (keeps_alpha ? 1 : 0);
  const bool flatten = has_alpha && options.alpha == ReadOptions::Alpha::kFlattenWhite;
  for (int64_t x = 0; x < width; ++x, from += from_bands, to += to_bands) {
    T colour[3];
    for (int c = 0; c < 3; ++c) colour[c] = from[from_colours == 1 ? 0 : c];
    if (flatten) {
      for (T& c : colour) c = OverWhite<T>(c, from[from_colours]);
    }
    if (to_colours == 3) {
      std::copy(colour, colour + 3, to);
    } else {
      to[0] = from_colours == 1 ? colour[0] : Luma<T>(colour[0], colour[1], colour[2]);
    }
    if (keeps_alpha) to[to_colours] = from[from_colours];
  }
}

// IEC 61966-2-1; odd around 0 and going on above 1, since HDR files have both.
float EncodeSrgb(float linear) {
  const float v = std::fabs(linear);
  const float encoded = v <= 0.0031308F ? v * 12.92F : 1.055F * std::pow(v, 1 / 2.4F) - 0.055F;
  return std::copysign(encoded, linear);
}

uint8_t To8(float v) {
  // The comparison is false for NaN too.
  return v > 0 ? static_cast<uint8_t>(std::min(v, 1.0F) * 255.0F + 0.5F) : uint8_t{0};
}
uint8_t To8(uint16_t v) {
  return static_cast<uint8_t>((v * 255U + 32767U) / 65535U);
}

class FormRows final : public RowReader {
 public:
  FormRows(std::unique_ptr<RowReader> rows, bool linear, const ReadOptions& options)
      : rows_(std::move(rows)),
        linear_(linear),
        options_(options),
        layout_(FormFor(rows_->layout(), options)) {
    Layout strip = rows_->layout();
    strip.height = std::min(kStripRows, strip.height);
    strip_ = Image(strip);
  }

  const Layout& layout() const override { return layout_; }
  const std::vector<std::string>& notes() const override { return rows_->notes(); }
  int shrink() const override { return rows_->shrink(); }

  Status Read(int64_t rows, uint8_t* destination, size_t stride) override {
    for (int64_t done = 0; done < rows;) {
      const int64_t now = std::min(strip_.layout().height, rows - done);
      TRY(rows_->Read(now, strip_.row(0), strip_.layout().row_bytes()));
      for (int64_t y = 0; y < now; ++y) {
        ConvertRow(strip_.row(y), rows_->layout(), linear_, options_,
                   destination + static_cast<size_t>(done + y) * stride, scratch_);
      }
      done += now;
    }
    return {};
  }

 private:
  std::unique_ptr<RowReader> rows_;
  bool linear_;
  ReadOptions options_;
  Layout layout_;
  Image strip_;
  std::vector<float> scratch_;
};

}  // namespace

Layout FormFor(const Layout& canonical, const ReadOptions& options) {
  Layout form = canonical;
  int colours = canonical.colour_bands();
  if (options.bands == ReadOptions::Bands::kRgb) colours = 3;
  if (options.bands == ReadOptions::Bands::kGrey) colours = 1;
  const bool alpha = canonical.has_alpha() && options.alpha == ReadOptions::Alpha::kKeep;
  form.bands = colours + (alpha ? 1 : 0);
  if (options.to_8bit) form.sample = Sample::kU8;
  return form;
}

void ConvertRow(const uint8_t* from, const Layout& canonical, bool linear, const ReadOptions& options,
                uint8_t* to, std::vector<float>& scratch) {
  const Layout form = FormFor(canonical, options);
  const size_t samples = static_cast<size_t>(canonical.width) * static_cast<size_t>(canonical.bands);
  const void* pixels = from;
  if (canonical.sample == Sample::kF32) {
    scratch.resize(2 * samples);
    const auto* in = reinterpret_cast<const float*>(from);
    const size_t bands = static_cast<size_t>(canonical.bands);
    for (size_t i = 0; i < samples; ++i) {
      const bool alpha = canonical.has_alpha() && i % bands == bands - 1;
      scratch[i] = linear && !alpha ? EncodeSrgb(in[i]) : in[i];
    }
    pixels = scratch.data();
    if (options.to_8bit) {
      auto* bytes = reinterpret_cast<uint8_t*>(scratch.data() + samples);
      std::transform(scratch.data(), scratch.data() + samples, bytes, [](float v) { return To8(v); });
      pixels = bytes;
    }
  } else if (canonical.sample == Sample::kU16 && options.to_8bit) {
    scratch.resize(samples);
    auto* bytes = reinterpret_cast<uint8_t*>(scratch.data());
    const auto* in = reinterpret_cast<const uint16_t*>(from);
    std::transform(in, in + samples, bytes, [](uint16_t v) { return To8(v); });
    pixels = bytes;
  }
  const auto bands = [&]<typename T>(T) {
    ConvertBands<T>(static_cast<const T*>(pixels), canonical.bands, options, reinterpret_cast<T*>(to),
                    form.bands, canonical.width);
  };
  switch (form.sample) {
    case Sample::kU8:
      return bands(uint8_t{});
    case Sample::kU16:
      return bands(uint16_t{});
    case Sample::kF32:
      return bands(float{});
  }
}

std::unique_ptr<RowReader> WithForm(std::unique_ptr<RowReader> rows, bool linear,
                                    const ReadOptions& options) {
  if (!linear && FormFor(rows->layout(), options) == rows->layout()) return rows;
  return std::make_unique<FormRows>(std::move(rows), linear, options);
}

}  // namespace imgmill
