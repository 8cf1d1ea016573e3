#include "sample_tiles.h"

#include <cstring>

#include "base/try.h"
#include "planar.h"

namespace imgmill {

Layout LayoutOf(const SampleForm& form, int64_t height, int64_t width) {
  return {width, height, form.bands, form.bits == 8 ? Sample::kU8 : Sample::kU16};
}

SampleForm FormOf(const Layout& layout) {
  return {.bits = layout.sample == Sample::kU8 ? 8 : 16, .bands = layout.bands};
}

void CopyPixels(const std::byte* from, const PixelPlace& from_place, std::byte* to,
                const PixelPlace& to_place, int64_t height, int64_t width, size_t pixel_bytes) {
  const auto at = [&](const PixelPlace& place, int64_t row) {
    return static_cast<size_t>(place.y + row) * place.stride + static_cast<size_t>(place.x) * pixel_bytes;
  };
  for (int64_t row = 0; row < height; ++row)
    std::memcpy(to + at(to_place, row), from + at(from_place, row), static_cast<size_t>(width) * pixel_bytes);
}

Status RunAsPlanes(ModelStream& stream, int scale, std::span<const SampleImage> images,
                   const SampleForm& form, int height, int width) {
  const Layout shown = LayoutOf(form, height, width);
  const Layout enlarged = LayoutOf(form, int64_t{height} * scale, int64_t{width} * scale);
  const auto planes = [](const Layout& layout) {
    return 3 * sizeof(float) * static_cast<size_t>(layout.height) * static_cast<size_t>(layout.width);
  };
  Buffer input(HostPool(), planes(shown)), output(HostPool(), planes(enlarged));
  auto* const in = reinterpret_cast<float*>(input.data());
  auto* const out = reinterpret_cast<float*>(output.data());
  for (const SampleImage& image : images) {
    const ImageView view = {reinterpret_cast<const uint8_t*>(image.input), shown, shown.row_bytes()};
    const RowTarget target = {reinterpret_cast<uint8_t*>(image.output), enlarged};
    for (const PlanePass& pass : PassesFor(shown)) {
      ToPlanes(view, 0, 0, width, height, pass.map, in);
      const BatchImage batch = {in, out};
      TRY(stream.Run({&batch, 1}, 1, height, width));
      FromPlanes(out, enlarged.width, enlarged.height, 0, 0, enlarged.width, enlarged.height, pass.first_band,
                 pass.bands, target, 0, 0);
    }
  }
  return {};
}

}  // namespace imgmill
